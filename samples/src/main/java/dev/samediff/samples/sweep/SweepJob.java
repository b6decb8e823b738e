package dev.samediff.samples.sweep;

import dev.samediff.adapters.text.batch.Packing;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.samples.finetune.AdapterStarts;
import dev.samediff.samples.finetune.TaskBatches;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.task.Task;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.training.AdapterDefaults;
import dev.samediff.tuning.training.AdapterTrial;
import dev.samediff.tuning.training.BaseModels;
import java.util.function.IntFunction;

/**
 * What the trials of a sweep share.
 *
 * @param model the base model, loaded once
 * @param tasks the task by examples per batch
 * @param packing whether several texts share a row
 * @param defaults what spaces do not say
 * @param starts how adapters are started
 */
public record SweepJob(
        LanguageModel model, IntFunction<Task> tasks, Packing packing, AdapterDefaults defaults, AdapterStarts starts) {
    /** Returns the trial of a space; its model must not be used by others from now on. */
    public AdapterTrial trial(AdapterSpace space) {
        return new AdapterTrial(
                new BaseModels(model.graph(), model.imported().modulePaths()),
                new TaskData(new TaskBatches(model), tasks, packing, defaults.batch()),
                graph -> Losses.causalLm(graph, model.logits()),
                model.inputs().placeholders(),
                defaults,
                AdapterTrial.cache(space, defaults, starts.choice(), starts.decompositions()));
    }
}
