"""Imports of large libraries do not lengthen the garbage collections of the process."""

import gc

import pytest

from crewai_runner.core.collection_pause import collection_paused


class TestCollectionPaused:
    def test_nothing_is_collected_in_between_and_what_remains_is_exempt(self) -> None:
        with collection_paused():
            assert not gc.isenabled()
            created = [[number] for number in range(10_000)]

        assert gc.isenabled()
        assert gc.get_freeze_count() >= len(created)
        assert len(gc.get_objects()) < len(created)

    def test_collections_resume_after_a_failed_import(self) -> None:
        with pytest.raises(ImportError), collection_paused():
            raise ImportError

        assert gc.isenabled()

    def test_disabled_collections_stay_disabled(self) -> None:
        gc.disable()
        try:
            with collection_paused():
                pass
            assert not gc.isenabled()
        finally:
            gc.enable()
