"""The plain pipeline's gate: recall@20 on the rows kept back must beat a coin's."""

import tensorflow as tf
import tfx.v1 as tfx
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils


@component
def Gate(
    model: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Model],
    examples: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Examples],
    blessing: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.ModelBlessing],
    k: tfx.dsl.components.Parameter[int] = 20,
) -> None:
    """Ranks every item for each transformed row of the split `eval`."""
    served = tf.saved_model.load(f"{model.uri}/Format-Serving")
    files = tf.io.gfile.glob(artifact_utils.get_split_uri([examples], "eval") + "/*.gz")
    spec = {name: tf.io.FixedLenFeature([], tf.int64) for name in ("user_id", "item_id")}
    rows = tf.io.parse_example(next(iter(tf.data.TFRecordDataset(files, "GZIP").batch(100_000))), spec)
    users = tf.gather(served.user_tower.embeddings, rows["user_id"])
    scores = tf.matmul(users, served.item_tower.embeddings, transpose_b=True)
    recall = float(tf.reduce_mean(tf.cast(tf.math.in_top_k(rows["item_id"], scores, k), tf.float32)))
    blessing.set_int_custom_property("blessed", int(recall > k / scores.shape[1]))
    blessing.set_float_custom_property("recall", recall)
