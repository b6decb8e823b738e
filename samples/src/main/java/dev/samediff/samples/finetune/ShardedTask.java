package dev.samediff.samples.finetune;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.linalg.CachingDecompositions;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.text.batch.EncodedExamples;
import dev.samediff.adapters.text.batch.TokenSequence;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.task.Task;
import dev.samediff.tuning.spark.ShardFactory;
import dev.samediff.tuning.training.BaseModels;
import java.util.List;
import java.util.function.Supplier;

/** A task divided among shards that train the same adapters; what they share is made once per process. */
public final class ShardedTask {
    private final LanguageModel model;
    private final BaseModels graphs;
    private final AdapterConfig config;
    private final Decompositions linalg;
    private final EncodedExamples encoded;
    private final FineTuneSettings settings;
    private final Supplier<TrainingPlan.Builder> plan;

    /**
     * Prepares the shards of this process.
     *
     * @param model the model; its graph must not be used by others from now on
     * @param task what is learned
     * @param config the adapters
     * @param starts how they are started
     * @param settings batch and seed
     * @param plan the plan; a new builder at every call
     */
    public ShardedTask(
            LanguageModel model,
            Task task,
            AdapterConfig config,
            AdapterStarts starts,
            FineTuneSettings settings,
            Supplier<TrainingPlan.Builder> plan) {
        this.model = model;
        this.graphs = new BaseModels(model.graph(), model.imported().modulePaths());
        this.config = config;
        this.linalg = starts.choice()
                .over(new CachingDecompositions(
                        starts.decompositions(), config.method().rank()));
        this.encoded = new TaskBatches(model).encode(task.train());
        this.settings = settings;
        this.plan = plan;
    }

    /**
     * Makes a shard: examples {@code shard}, {@code shard + shards}, {@code shard + 2 shards} and so on.
     *
     * @throws InvalidInputException if there are fewer examples than shards
     */
    public ShardFactory.Shard shard(int shard, int shards) {
        List<TokenSequence> all = encoded.sequences();
        if (all.size() < shards) {
            throw new InvalidInputException(
                    all.size() + " examples cannot be divided among " + shards + " shards; give fewer --shards");
        }
        AdaptedModel adapted = AdaptedModel.inject(graphs.borrow(), graphs.modulePaths(), config, linalg);
        TaskLoss loss = Losses.causalLm(adapted.graph(), model.logits());
        EncodedExamples share = encoded.shard(shard, shards);
        return new ShardFactory.Shard(
                adapted,
                loss,
                Binding.of(loss, model.inputs().placeholders()),
                () -> new TaskBatches(model).training(share, settings.batch(), settings.seed()),
                plan.get());
    }
}
