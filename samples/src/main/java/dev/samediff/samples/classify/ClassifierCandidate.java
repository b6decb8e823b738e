package dev.samediff.samples.classify;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.train.Trainable;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.samples.finetune.Candidate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SameDiff;

/** Classifiers with something to train in them, as {@link Candidate}s. */
public final class ClassifierCandidate {
    /** Name of training nothing but what is trained whole, beside the methods' names. */
    public static final String HEAD = "head";

    private ClassifierCandidate() {}

    /** Puts adapters and what is trained whole into the model's graph. */
    public static Candidate adapters(TextModel model, String scores, AdapterConfig config, List<String> whole) {
        AdapterConfig full = whole.isEmpty() ? config : config.withModulesToSave(whole.toArray(String[]::new));
        AdaptedModel adapted =
                AdaptedModel.inject(model.imported().graph(), model.imported().modulePaths(), full);
        return new Candidate(
                config.method().name(),
                config.method().rank(),
                adapted.graph(),
                adapted.trainableNames(),
                Losses.classification(adapted.graph(), scores),
                adapted.trainableParameters(),
                adapted.totalParameters(),
                Optional.of(adapted));
    }

    /** Trains every variable but embedding tables. */
    public static Candidate full(TextModel model, String scores) {
        SameDiff graph = model.imported().graph();
        return whole(Candidate.FULL, graph, scores, new GraphEditor(graph).trainables());
    }

    /** Trains the tensors of some modules, and freezes all others. */
    public static Candidate head(TextModel model, String scores, List<String> modules) {
        SameDiff graph = model.imported().graph();
        GraphEditor editor = new GraphEditor(graph);
        List<String> frozen = new ArrayList<>();
        List<String> trained = new ArrayList<>();
        for (String name : editor.trainables()) {
            boolean chosen = modules.stream().anyMatch(module -> name.startsWith(module + "."));
            (chosen ? trained : frozen).add(name);
        }
        editor.freeze(frozen);
        return whole(HEAD, graph, scores, trained);
    }

    private static Candidate whole(String name, SameDiff graph, String scores, List<String> trained) {
        TaskLoss loss = Losses.classification(graph, scores);
        long numbers = trained.stream()
                .mapToLong(variable -> graph.getArrForVarName(variable).length())
                .sum();
        long total = graph.variables().stream()
                .filter(variable ->
                        trained.contains(variable.name()) || variable.name().endsWith(".weight"))
                .mapToLong(variable ->
                        variable.getArr() == null ? 0 : variable.getArr().length())
                .sum();
        return new Candidate(name, 0, graph, trained, loss, numbers, total, Optional.empty());
    }

    /** Returns what is trained, as the trainer sees it. */
    static Trainable trainable(Candidate candidate) {
        return Trainable.of(candidate.graph(), candidate.trainables());
    }
}
