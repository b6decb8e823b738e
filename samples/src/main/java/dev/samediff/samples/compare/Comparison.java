package dev.samediff.samples.compare;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.samples.finetune.AdapterStarts;
import dev.samediff.samples.finetune.Candidate;
import dev.samediff.samples.finetune.FineTune;
import dev.samediff.samples.finetune.FineTuneResult;
import dev.samediff.samples.finetune.FineTuneSettings;
import dev.samediff.samples.finetune.Measurement;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.output.Progress;
import dev.samediff.samples.task.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Trains one candidate after the other, each on a fresh import of the model.
 *
 * @param model imports the model
 * @param task what all learn
 * @param entries who takes part
 * @param starts how adapters are started
 */
public record Comparison(Supplier<LanguageModel> model, Task task, List<Entry> entries, AdapterStarts starts) {
    public Comparison {
        entries = List.copyOf(entries);
    }

    /**
     * One that takes part.
     *
     * @param adapter the adapter; absent for full fine-tuning
     * @param settings how it is trained; all but the learning rate are the same for a fair comparison
     */
    public record Entry(Optional<AdapterConfig> adapter, FineTuneSettings settings) {}

    /**
     * Runs all.
     *
     * @param progress shows how far it is
     * @param notes takes remarks for the person who waits
     */
    public List<FineTuneResult> run(Progress.Factory progress, Consumer<String> notes) {
        List<FineTuneResult> results = new ArrayList<>();
        Optional<List<Measurement>> before = Optional.empty();
        for (Entry entry : entries) {
            LanguageModel fresh = model.get();
            Candidate candidate = entry.adapter()
                    .map(config -> starts.with(progress, notes, options -> Candidate.adapters(fresh, config, options)))
                    .orElseGet(() ->
                            Candidate.full(fresh).under(entry.settings().plan().subspace()));
            FineTune job =
                    new FineTune(fresh, task, entry.settings(), progress, results.isEmpty() ? notes : note -> {});
            FineTuneResult result = job.run(candidate, before);
            before = Optional.of(result.before());
            results.add(result);
        }
        return results;
    }
}
