"""The processes that load batches, counted in each epoch of a training and its validation."""

import multiprocessing

import pytest
from toy import build_task

from fairseq_hmst.data.loading_processes import end_loading


@pytest.mark.parametrize(("passes", "buffer_size"), [(1.0, 10), (0.5, 0)])
def test_each_epoch_ends_the_processes_of_the_one_before_at_once(toy_data_bin, passes, buffer_size):
    task = build_task(toy_data_bin, mt_passes=passes)
    before = set(multiprocessing.active_children())

    def loaded(split, epoch):
        iterator = task.get_batch_iterator(
            task.dataset(split), max_tokens=4000, num_workers=1, data_buffer_size=buffer_size, epoch=epoch
        )
        assert len(list(iterator.next_epoch_itr())) > 0
        return iterator

    counts = []
    for epoch in (1, 2, 3):
        iterators = loaded("train", epoch), loaded("valid", 1)
        counts.append(len(set(multiprocessing.active_children()) - before))
    for iterator in iterators:
        end_loading(iterator)
    counts.append(len(set(multiprocessing.active_children()) - before))
    assert counts == [2, 2, 2, 0]
