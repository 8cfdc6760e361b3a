"""The toy two-tower of the plain pipeline: the module file that TFX's own guides would have one write."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_recommenders as tfrs
import tensorflow_transform as tft
from tensorflow_transform.tf_metadata import schema_utils
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx_bsl.public import tfxio

USER, ITEM = "user_id", "item_id"
BATCH, EPOCHS, WIDTH, BUCKETS = 512, 3, 32, 1


def preprocessing_fn(inputs: dict) -> dict:
    """Ids to vocabulary indices; the full pass that Transform exists for."""
    return {
        name: tft.compute_and_apply_vocabulary(
            tf.sparse.to_dense(inputs[name], default_value="")[:, 0]
            if isinstance(inputs[name], tf.SparseTensor)
            else inputs[name][:, 0],
            num_oov_buckets=BUCKETS,
            vocab_filename=name,
        )
        for name in (USER, ITEM)
    }


class TwoTower(tfrs.Model):
    def __init__(self, users: int, items: int) -> None:
        super().__init__()
        self.user_tower = tf.keras.layers.Embedding(users, WIDTH)
        self.item_tower = tf.keras.layers.Embedding(items, WIDTH)
        self.task = tfrs.tasks.Retrieval()

    def compute_loss(self, features: dict, training: bool = False) -> tf.Tensor:
        return self.task(
            self.user_tower(features[USER]), self.item_tower(features[ITEM]), compute_metrics=False
        )


def run_fn(arguments: FnArgs) -> None:
    """Trains from nothing on the day and exports top 10 by transformed user index."""
    transform = tft.TFTransformOutput(arguments.transform_output)
    schema = transform.transformed_metadata.schema
    options = tfxio.TensorFlowDatasetOptions(batch_size=BATCH, num_epochs=1)
    rows = arguments.data_accessor.tf_dataset_factory(arguments.train_files, options, schema)
    users, items = (transform.vocabulary_size_by_name(name) + BUCKETS for name in (USER, ITEM))

    model = TwoTower(users, items)
    model.compile(optimizer=tf.keras.optimizers.Adagrad(0.1))
    model.fit(rows.map(lambda row: {name: row[name] for name in (USER, ITEM)}), epochs=EPOCHS, verbose=0)

    transform_layer = transform.transform_features_layer()
    raw = schema_utils.schema_as_feature_spec(transform.raw_metadata.schema).feature_spec

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def recommend(examples: tf.Tensor) -> dict:
        features = tf.io.parse_example(examples, raw)
        user = model.user_tower(transform_layer(features)[USER])
        scores, items = tf.math.top_k(tf.matmul(user, model.item_tower.embeddings, transpose_b=True), 10)
        return {"item": items, "score": scores}

    model.transform_layer = transform_layer
    tf.saved_model.save(model, arguments.serving_model_dir, signatures={"serving_default": recommend})
