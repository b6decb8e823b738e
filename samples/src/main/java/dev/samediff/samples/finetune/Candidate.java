package dev.samediff.samples.finetune;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.StartOptions;
import dev.samediff.adapters.graph.GraphAudit;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.GaLore;
import dev.samediff.adapters.train.Lisa;
import dev.samediff.adapters.train.Subspace;
import dev.samediff.adapters.train.Trainable;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.importer.ImportedModel;
import dev.samediff.samples.model.LanguageModel;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;

/**
 * A model with something to train in it.
 *
 * @param method the adapter method's name, or what else is trained, such as {@code full}
 * @param rank the adapter's default rank; 0 without one
 * @param graph the model's graph, trained in place
 * @param trainables the variables that are trained
 * @param loss the task loss in the graph
 * @param trainableParameters how many numbers are trained
 * @param totalParameters how many there are
 * @param adapted the adapters, if there are any
 * @param modulePaths paths of modules by variables that are not called after theirs
 */
public record Candidate(
        String method,
        int rank,
        SameDiff graph,
        List<String> trainables,
        TaskLoss loss,
        long trainableParameters,
        long totalParameters,
        Optional<AdaptedModel> adapted,
        Map<String, String> modulePaths) {
    /** Name of full fine-tuning beside the methods' names. */
    public static final String FULL = "full";

    /** Name of full fine-tuning by {@link GaLore}. */
    public static final String GALORE = "galore";

    /** Name of full fine-tuning by {@link Lisa}. */
    public static final String LISA = "lisa";

    /** Name of training virtual tokens ({@link dev.samediff.adapters.VirtualTokens}) alone. */
    public static final String PROMPT_TUNING = "prompt_tuning";

    /** Name of training nothing but what is trained whole, beside the methods' names. */
    public static final String HEAD = "head";

    /** Puts adapters into a language model's graph. */
    public static Candidate adapters(LanguageModel model, AdapterConfig config) {
        return adapters(model, config, StartOptions.standard());
    }

    /** Puts adapters into a language model's graph, started in a certain way. */
    public static Candidate adapters(LanguageModel model, AdapterConfig config, StartOptions starts) {
        return adapters(model.imported(), config, starts, graph -> Losses.causalLm(graph, model.logits()));
    }

    /**
     * Puts adapters into a model's graph.
     *
     * @param starts how they are started
     * @param loss adds the task loss to the graph
     */
    public static Candidate adapters(
            ImportedModel model, AdapterConfig config, StartOptions starts, Function<SameDiff, TaskLoss> loss) {
        AdaptedModel adapted = AdaptedModel.inject(model, config, starts);
        boolean isPrompt =
                config.whole().prompt().isPresent() && adapted.state().sites().isEmpty();
        return new Candidate(
                isPrompt ? PROMPT_TUNING : config.method().name(),
                isPrompt ? 0 : config.method().rank(),
                adapted.graph(),
                adapted.trainableNames(),
                loss.apply(adapted.graph()),
                adapted.trainableParameters(),
                adapted.totalParameters(),
                Optional.of(adapted),
                model.modulePaths());
    }

    /**
     * Trains every variable of the graph that ND4J can differentiate: all but embedding tables read by {@code gather},
     * whose gradient is wrong in M2.1.
     */
    public static Candidate full(LanguageModel model) {
        return full(model.imported(), graph -> Losses.causalLm(graph, model.logits()));
    }

    /** As {@link #full(LanguageModel)}, with another loss. */
    public static Candidate full(ImportedModel model, Function<SameDiff, TaskLoss> loss) {
        SameDiff graph = model.graph();
        TaskLoss added = loss.apply(graph);
        List<String> variables = variables(graph);
        List<String> safe = variables.stream()
                .filter(name -> isSafe(graph, added.loss(), name))
                .toList();
        return whole(FULL, model, added, safe, count(graph, variables));
    }

    /** Trains the tensors of some modules, and freezes all others. */
    public static Candidate head(ImportedModel model, List<String> modules, Function<SameDiff, TaskLoss> loss) {
        SameDiff graph = model.graph();
        TaskLoss added = loss.apply(graph);
        List<String> variables = variables(graph);
        long total = count(graph, variables);
        Map<Boolean, List<String>> byChoice = variables.stream()
                .collect(Collectors.partitioningBy(
                        name -> modules.stream().anyMatch(module -> name.startsWith(module + "."))));
        List<String> chosen = byChoice.getOrDefault(true, List.of());
        if (chosen.isEmpty()) {
            throw new InvalidInputException("none of the modules " + modules + " has tensors that can be trained");
        }
        new GraphEditor(graph).freeze(byChoice.getOrDefault(false, List.of()));
        return whole(HEAD, model, added, chosen, total);
    }

    private static Candidate whole(String name, ImportedModel model, TaskLoss loss, List<String> trained, long total) {
        SameDiff graph = model.graph();
        return new Candidate(
                name, 0, graph, trained, loss, count(graph, trained), total, Optional.empty(), model.modulePaths());
    }

    private static List<String> variables(SameDiff graph) {
        return graph.variables().stream()
                .filter(variable -> variable.getVariableType() == VariableType.VARIABLE)
                .map(SDVariable::name)
                .toList();
    }

    /** Returns this under the name of the rule by which all weights are trained, if there is one. */
    public Candidate under(@Nullable Subspace rule) {
        if (rule == null) {
            return this;
        }
        String name = rule instanceof GaLore ? GALORE : LISA;
        int named = rule instanceof GaLore galore ? galore.rank() : rank;
        return new Candidate(
                name, named, graph, trainables, loss, trainableParameters, totalParameters, adapted, modulePaths);
    }

    /** Returns how many virtual tokens stand in front of every text. */
    public int virtualTokens() {
        return adapted.map(model -> model.activeAdapterNames().stream()
                        .mapToInt(name -> model.state(name).virtualTokens())
                        .sum())
                .orElse(0);
    }

    /** Returns a trainer of this candidate. */
    AdapterTrainer trainer(TrainingPlan plan, Binding inputs) {
        return adapted.map(model -> new AdapterTrainer(model, loss, plan, inputs))
                .orElseGet(() -> new AdapterTrainer(Trainable.of(graph, trainables, modulePaths), loss, plan, inputs));
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
