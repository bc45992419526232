import threading

from metering.door import room


class TestRoom:
    def test_lets_small_bodies_through_when_it_is_full(self):
        full = room.Room(100_000)
        with full.taken(100_000), full.taken(room.SMALL_BYTES_MAX):
            pass

    def test_lets_the_next_one_in_when_there_is_room(self):
        shared = room.Room(300_000)
        entered, leaving = threading.Event(), threading.Event()

        def second() -> None:
            with shared.taken(200_000):
                entered.set()
                leaving.wait(10)

        with shared.taken(200_000):
            thread = threading.Thread(target=second)
            thread.start()
            assert not entered.wait(0.05)
        assert entered.wait(10)
        leaving.set()
        thread.join()

    def test_lets_in_alone_what_is_larger_than_all_of_it(self):
        small = room.Room(100_000)
        for _ in range(2):
            with small.taken(10_000_000):
                pass

    def test_gives_room_back_after_a_failure(self):
        shared = room.Room(100_000)
        for _ in range(2):
            try:
                with shared.taken(100_000):
                    raise ValueError
            except ValueError:
                pass
