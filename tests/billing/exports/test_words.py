import pytest

from billing.exports.words import translated


class TestTranslated:
    @pytest.mark.parametrize(
        ("english", "german", "chinese"),
        [
            ("included: 100", "enthalten: 100", "含免费用量：100"),
            ("over 5 up to 10: 5 x 2", "über 5 bis 10: 5 x 2", "超过 5 至 10: 5 x 2"),
            ("2 packages of 1000 x 3", "2 Pakete zu 1000 x 3", "2 包（每包 1000） x 3"),
            ("10% discount: -5", "10 % Rabatt: -5", "10% 折扣：-5"),
            ("not chosen: -45", "nicht gewählt: -45", "未选用：-45"),
            ("Minimum of Pro", "Mindestbetrag Pro", "最低消费：Pro"),
            ("12.5 x 2.5", "12.5 x 2.5", "12.5 x 2.5"),
        ],
    )
    def test_says_what_rating_says(self, english, german, chinese):
        assert translated(english, "de") == german
        assert translated(english, "zh") == chinese
        assert translated(english, "en") == english

    def test_leaves_names_alone(self):
        assert translated("Flat rate of the first team", "de") == "Flat rate of the first team"
