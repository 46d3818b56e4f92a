"""The processes that load the batches of an epoch (--num-workers), ended when it is over."""

from fairseq.data.iterators import EpochBatchIterator
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter


def end_loading(epoch: EpochBatchIterator) -> None:
    """End the processes that loaded the batches of an epoch, each of which has been used.

    fairseq leaves them to the garbage collector. It comes late, and then waits 5 s for each of them, as it closes the
    queue that would tell one to end before it tells it.
    """
    loader = epoch.dataloader
    if loader is not None and isinstance(loader._iterator, _MultiProcessingDataLoaderIter):
        loader._iterator._shutdown_workers()
