package dev.samediff.samples.cli;

import dev.samediff.samples.finetune.ShardedTask;
import dev.samediff.tuning.spark.ShardFactory;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import picocli.CommandLine;

/**
 * Makes shards of a fine-tuning in a process of Spark, from the options of the command. Files must have the same names there.
 *
 * @param arguments the options of {@code finetune}
 * @param shards how many there are
 */
record FineTuneShards(List<String> arguments, int shards) implements ShardFactory {
    private static final ConcurrentHashMap<FineTuneShards, ShardedTask> TASKS = new ConcurrentHashMap<>();

    FineTuneShards {
        arguments = List.copyOf(arguments);
    }

    @Override
    public Shard create(int shard) {
        return TASKS.computeIfAbsent(this, FineTuneShards::load).shard(shard, shards);
    }

    private static ShardedTask load(FineTuneShards which) {
        FineTuneCommand command = new FineTuneCommand();
        new CommandLine(command)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .parseArgs(which.arguments().toArray(String[]::new));
        return command.sharded();
    }
}
