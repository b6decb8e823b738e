package dev.samediff.tuning.spark;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Trains adapters on several shards of the data at once: in every round each shard makes some steps from the same adapter
 * tensors, then the tensors are averaged (parameter averaging). Only adapter tensors and AdamW's moments travel; the base
 * model is loaded once per process. With one shard the result is that of the plain trainer, bit for bit.
 *
 * @param shards number of shards, one task each
 * @param rounds number of averagings
 * @param stepsPerRound updates of each shard between two of them
 * @param moments what becomes of AdamW's moments
 */
public record AdapterAveraging(int shards, int rounds, int stepsPerRound, Moments moments) {
    /** What becomes of AdamW's moments when tensors are averaged. */
    public enum Moments {
        /** Each shard goes on with its own. */
        KEPT,
        /** They are averaged too. */
        AVERAGED
    }

    public AdapterAveraging {
        if (shards < 1 || rounds < 1 || stepsPerRound < 1) {
            throw new InvalidInputException("averaging " + shards + " shards in " + rounds + " rounds of "
                    + stepsPerRound + " steps is not possible; give 1 or more of each");
        }
    }

    /**
     * How far training is after an averaging.
     *
     * @param step updates of each shard
     * @param tensors the averaged tensors by variable, for {@code AdaptedModel.restore}
     * @param losses mean over the shards of the task loss, by update
     */
    public record Round(int step, Map<String, INDArray> tensors, List<Double> losses) {}

    /**
     * Trains. A failed task is tried again by Spark.
     *
     * @param master such as {@code local[2]} or {@code spark://host:7077}
     * @param threads threads of each shard
     * @param factory makes the shards where they run
     * @param listener is told of every round
     * @return the last round
     * @throws InvalidInputException if this JVM cannot run Spark
     * @throws IOException if a checkpoint cannot be read
     */
    public Round train(String master, int threads, ShardFactory factory, Consumer<Round> listener) throws IOException {
        try (JavaSparkContext context = SparkConnection.open(master, threads, "samediff-adapters averaging")) {
            RoundTask task = new RoundTask(factory, rounds * stepsPerRound, stepsPerRound);
            List<RoundTask.Start> starts = new ArrayList<>();
            for (int shard = 0; shard < shards; shard++) {
                starts.add(new RoundTask.Start(shard, null));
            }
            Round last = new Round(0, Map.of(), List.of());
            for (int round = 1; round <= rounds; round++) {
                List<ShardCheckpoint> ended =
                        context.parallelize(starts, shards).map(task).collect();
                List<ShardCheckpoint> averaged = ShardCheckpoint.averaged(ended, moments == Moments.AVERAGED);
                for (int shard = 0; shard < shards; shard++) {
                    starts.set(shard, new RoundTask.Start(shard, averaged.get(shard)));
                }
                last = new Round(
                        round * stepsPerRound, averaged.get(0).parameters(), ShardCheckpoint.meanLosses(ended));
                listener.accept(last);
            }
            return last;
        }
    }
}
