"""Streams of units of one model, one for each segment."""

from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.errors import OptionError
from preprocess.speech.extractors import Extractor
from preprocess.speech.extractors.mfcc import MfccExtractor

from .encoder_window import EncoderWindow
from .heard import UnitStream
from .mfcc_stream import MfccStream
from .windowed_stream import WindowedStream


class UnitStreams:
    """Starts a stream of units for each segment.

    Args:
        extractor: of the k-means.
        nearest_centroid: its centroids.
        window: what a neural encoder sees at once.

    Raises:
        OptionError: something of the window was chosen, and the extractor has no use for it.
    """

    def __init__(self, extractor: Extractor, nearest_centroid: NearestCentroid, window: EncoderWindow) -> None:
        self._extractor, self._nearest_centroid, self._window = extractor, nearest_centroid, window
        if window.chosen and not self.uses_window:
            raise OptionError(window.chosen[0], "has no effect: the units are clusters of MFCC, which need no window")

    @property
    def uses_window(self) -> bool:
        """Whether units depend on the window; False for MFCC, whose frames are exactly those of the whole."""
        return not isinstance(self._extractor, MfccExtractor)

    def start(self) -> UnitStream:
        """Begin a segment; segments of one model may be open at once."""
        if isinstance(self._extractor, MfccExtractor):
            return MfccStream(self._extractor, self._nearest_centroid)
        return WindowedStream(self._extractor, self._nearest_centroid, self._window)
