package dev.samediff.samples.finetune;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.graph.GraphAudit;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.Trainable;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.samples.model.LanguageModel;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;

/**
 * A model with something to train in it.
 *
 * @param method the adapter method's name, or {@code full}
 * @param rank the adapter's default rank; 0 without one
 * @param graph the model's graph, trained in place
 * @param trainables the variables that are trained
 * @param loss the task loss in the graph
 * @param trainableParameters how many numbers are trained
 * @param totalParameters how many there are
 * @param adapted the adapters, if there are any
 */
public record Candidate(
        String method,
        int rank,
        SameDiff graph,
        List<String> trainables,
        TaskLoss loss,
        long trainableParameters,
        long totalParameters,
        Optional<AdaptedModel> adapted) {
    /** Name of full fine-tuning beside the methods' names. */
    public static final String FULL = "full";

    /** Puts adapters into the model's graph. */
    public static Candidate adapters(LanguageModel model, AdapterConfig config) {
        AdaptedModel adapted =
                AdaptedModel.inject(model.graph(), model.imported().modulePaths(), config);
        TaskLoss loss = Losses.causalLm(adapted.graph(), model.logits());
        return new Candidate(
                config.method().name(),
                config.method().rank(),
                adapted.graph(),
                adapted.trainableNames(),
                loss,
                adapted.trainableParameters(),
                adapted.totalParameters(),
                Optional.of(adapted));
    }

    /**
     * Trains every variable of the graph that ND4J can differentiate: all but embedding tables read by {@code gather},
     * whose gradient is wrong in M2.1.
     */
    public static Candidate full(LanguageModel model) {
        SameDiff graph = model.graph();
        TaskLoss loss = Losses.causalLm(graph, model.logits());
        List<String> variables = graph.variables().stream()
                .filter(variable -> variable.getVariableType() == VariableType.VARIABLE)
                .map(SDVariable::name)
                .toList();
        List<String> safe = variables.stream()
                .filter(name -> isSafe(graph, loss.loss(), name))
                .toList();
        return new Candidate(FULL, 0, graph, safe, loss, count(graph, safe), count(graph, variables), Optional.empty());
    }

    /** Returns a trainer of this candidate. */
    AdapterTrainer trainer(TrainingPlan plan, Binding inputs) {
        return adapted.map(model -> new AdapterTrainer(model, loss, plan, inputs))
                .orElseGet(() -> new AdapterTrainer(Trainable.of(graph, trainables), loss, plan, inputs));
    }

    private static boolean isSafe(SameDiff graph, String loss, String name) {
        return GraphAudit.check(graph, List.of(loss), List.of(name)).stream()
                .noneMatch(finding -> finding.severity() == GraphAudit.Severity.ERROR);
    }

    private static long count(SameDiff graph, Collection<String> names) {
        return names.stream()
                .mapToLong(name -> graph.getArrForVarName(name).length())
                .sum();
    }
}
