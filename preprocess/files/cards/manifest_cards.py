"""Files of the stage `manifest`, compared with the card that lies beside them."""

from pathlib import Path

from ...errors import MismatchError
from .card import CARD_NAME, stage_in
from .stage_cards import ManifestCard

BY_HAND = "make the manifests again; or remove card.json, if you changed them on purpose: then they are your own"


def check_manifest(path: Path) -> None:
    """Refuse a file that has changed since the stage `manifest` wrote it.

    Files of folders without a card of that stage, and files that it does not name, were made by hand: nothing is known
    of them.

    Raises:
        CardError: the card is not in its form.
        MismatchError: the file, another manifest beside it, or the card has changed.
    """
    folder = Path(path).parent
    card_path = folder / CARD_NAME
    if not card_path.is_file() or stage_in(card_path) != ManifestCard.expected_stage():
        return
    try:
        card = ManifestCard.read(folder)
        card.check_hashes(folder, [name for name in card.hashes if name == path.name])
    except MismatchError as error:
        raise MismatchError.of(error, BY_HAND) from error
