// The box in the head of a table chooses all rows of the page, or none.
for (const all of document.querySelectorAll("[data-chooses]")) {
  const boxes = [...document.querySelectorAll(`input[name="${all.dataset.chooses}"]`)];
  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  };
  all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
  boxes.forEach((box) => box.addEventListener("change", show));
  show();
}
