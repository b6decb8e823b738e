package dev.samediff.samples.finetune;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.train.Evaluation;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.listener.TrainingListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Keeps the adapter of each evaluation, {@code adapters/step-000100}, to be analysed later. If there are more than wanted, one goes
 * whose neighbours are the nearest to each other; the first and the last stay. A resumed run goes on in the same folder.
 */
public final class KeptAdapters implements TrainingListener {
    /** The folder's name in that of a run. */
    public static final String FOLDER = "adapters";

    private static final Pattern NAME = Pattern.compile("step-(\\d{1,9})");

    private final AdaptedModel model;
    private final AdapterFolder.Description peft;
    private final Path folder;
    private final int most;

    /**
     * Prepares the folder's keeper.
     *
     * @param model the model whose active adapter is trained
     * @param peft what PEFT likes to know of it
     * @param folder where the adapters go
     * @param most how many are kept, at least 2
     */
    public KeptAdapters(AdaptedModel model, AdapterFolder.Description peft, Path folder, int most) {
        this.model = model;
        this.peft = peft;
        this.folder = folder;
        this.most = most;
    }

    /**
     * Finds the adapters that are kept in a folder.
     *
     * @param folder such a folder, which need not exist
     * @return their folders by the number of updates made before
     * @throws IOException if it cannot be read
     */
    public static NavigableMap<Integer, Path> in(Path folder) throws IOException {
        NavigableMap<Integer, Path> found = new TreeMap<>();
        if (!Files.isDirectory(folder)) {
            return found;
        }
        try (Stream<Path> entries = Files.list(folder)) {
            entries.forEach(entry -> {
                Matcher name = NAME.matcher(String.valueOf(entry.getFileName()));
                if (name.matches() && Files.isDirectory(entry)) {
                    found.put(Integer.valueOf(name.group(1)), entry);
                }
            });
        }
        return found;
    }

    /** What comes behind the point from which the training goes on is another training's. */
    @Override
    public void onStart(TrainingPlan plan, int totalSteps, int startStep) {
        try {
            for (Path later : in(folder).tailMap(startStep, startStep == 0).values()) {
                DurableFiles.removeFolder(later);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void onEvaluation(Evaluation evaluation) {
        try {
            Files.createDirectories(folder);
            AdapterFolder.save(model.state(), folder.resolve(String.format("step-%06d", evaluation.step())), peft);
            NavigableMap<Integer, Path> kept = in(folder);
            while (kept.size() > most) {
                Optional<Integer> one = leastMissed(kept);
                if (one.isEmpty()) {
                    return;
                }
                DurableFiles.removeFolder(kept.remove(one.get()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The earliest of those whose neighbours are the nearest to each other. */
    private static Optional<Integer> leastMissed(NavigableMap<Integer, Path> kept) {
        Integer best = null;
        int least = Integer.MAX_VALUE;
        for (Map.Entry<Integer, Path> each : kept.entrySet()) {
            Integer before = kept.lowerKey(each.getKey());
            Integer after = kept.higherKey(each.getKey());
            if (before != null && after != null && after - before < least) {
                least = after - before;
                best = each.getKey();
            }
        }
        return Optional.ofNullable(best);
    }
}
