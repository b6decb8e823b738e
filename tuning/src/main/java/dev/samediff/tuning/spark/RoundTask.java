package dev.samediff.tuning.spark;

import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.listener.TrainingListener;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.api.java.function.Function;
import org.jspecify.annotations.Nullable;

/** Trains one shard for one round in an executor. */
final class RoundTask implements Function<RoundTask.Start, ShardCheckpoint> {
    private static final long serialVersionUID = 1L;
    private static final ConcurrentHashMap<Key, ShardFactory.Shard> SHARDS = new ConcurrentHashMap<>();

    private final ShardFactory factory;
    private final int totalSteps;
    private final int stepsPerRound;

    RoundTask(ShardFactory factory, int totalSteps, int stepsPerRound) {
        this.factory = factory;
        this.totalSteps = totalSteps;
        this.stepsPerRound = stepsPerRound;
    }

    /** A shard and where it stands; null at the start. */
    record Start(int shard, @Nullable ShardCheckpoint from) implements Serializable {}

    private record Key(ShardFactory factory, int shard) {}

    /** Ends the training of a round. */
    private static final class RoundOver extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @Override
    public ShardCheckpoint call(Start start) throws IOException {
        Key key = new Key(factory, start.shard());
        if (start.from() == null) {
            SHARDS.remove(key); // an earlier training left it with other tensors
        }
        ShardFactory.Shard shard = SHARDS.computeIfAbsent(key, made -> factory.create(made.shard()));
        Path folder = Files.createTempDirectory("averaging");
        try {
            return train(shard, start.from(), folder);
        } finally {
            DurableFiles.deleteTree(folder);
        }
    }

    private ShardCheckpoint train(ShardFactory.Shard shard, @Nullable ShardCheckpoint from, Path folder)
            throws IOException {
        int end = stepsPerRound + (from == null ? 0 : from.step());
        TrainingPlan plan = shard.plan()
                .steps(totalSteps)
                .checkpoints(folder, stepsPerRound)
                .checkpointsKept(2)
                .build();
        TrainingListener stop = new TrainingListener() {
            @Override
            public void onCheckpoint(int step, Path directory) {
                if (step == end) {
                    throw new RoundOver();
                }
            }
        };
        try (AdapterTrainer trainer = new AdapterTrainer(shard.model(), shard.loss(), plan, shard.inputs())) {
            if (from != null) {
                from.write(folder);
                trainer.resume(folder);
            }
            trainer.fit(shard.data().get(), null, stop);
        } catch (RoundOver over) {
            return ShardCheckpoint.read(folder, end);
        }
        throw new IllegalStateException("no checkpoint at step " + end);
    }
}
