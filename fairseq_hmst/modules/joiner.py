"""The joiner of the transducer: encoder step and predictor position to scores of blank and labels."""

from fairseq import utils
from torch import Tensor, nn


class Joiner(nn.Module):
    """Log-probabilities log_softmax(output(tanh(encoder projection + predictor projection))).

    Training never calls it as a whole: the loss takes the two projections and the output layer, and makes scores piece
    by piece (fairseq_hmst.losses.rnnt.fused_rnnt_loss).

    Args:
        encoder_width: D of the encoder's output.
        predictor_width: P of the prediction network's output.
        joint_width: J, where both meet.
        num_labels: V; label 0 is the blank.
    """

    def __init__(self, encoder_width: int, predictor_width: int, joint_width: int, num_labels: int) -> None:
        super().__init__()
        self.encoder_projection = nn.Linear(encoder_width, joint_width)
        self.predictor_projection = nn.Linear(predictor_width, joint_width, bias=False)  # the other one has a bias
        self.output = nn.Linear(joint_width, num_labels)

    def project_encoder(self, states: Tensor) -> Tensor:
        """Project encoder states (..., D) to (..., J)."""
        return self.encoder_projection(states)

    def project_predictor(self, states: Tensor) -> Tensor:
        """Project predictor outputs (..., P) to (..., J)."""
        return self.predictor_projection(states)

    def log_probs(self, encoder_projected: Tensor, predictor_projected: Tensor) -> Tensor:
        """Log-probabilities (..., V) in float32, of projections whose shapes broadcast to (..., J)."""
        return utils.log_softmax(self.output((encoder_projected + predictor_projected).tanh()), dim=-1)
