package dev.samediff.samples.finetune;

import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.text.batch.TextRecipe;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/** Leaves what a run came to: the adapter, the figures, the page. */
public final class RunWriter {
    private final RunFolder folder;
    private Optional<TextRecipe> recipe = Optional.empty();

    /** Writes into a folder. */
    public RunWriter(RunFolder folder) {
        this.folder = folder;
    }

    /** Keeps beside the adapter how its texts became tokens; returns this. */
    public RunWriter keeping(TextRecipe texts) {
        recipe = Optional.of(texts);
        return this;
    }

    /**
     * Writes everything, each file complete or not at all; the adapter first.
     *
     * @param peft what PEFT likes to know of model and task
     * @return the figures
     * @throws IOException if a file cannot be written
     */
    public FineTuneSummary write(
            FineTuneResult result,
            FineTuneSettings settings,
            RunDescription description,
            AdapterFolder.Description peft)
            throws IOException {
        if (result.candidate().adapted().isPresent()) {
            AdapterFolder.save(
                    result.candidate().adapted().get().state(),
                    folder.adapter(),
                    peft,
                    recipe.map(texts -> Map.of(TextRecipe.FILE, texts.toJson())).orElse(Map.of()));
        }
        FineTuneSummary summary =
                FineTuneSummary.of(result, settings.plan(), folder.path().toString());
        DurableFiles.writeText(folder.summary(), Json.pretty(summary));
        DurableFiles.writeText(folder.report(), FineTuneReport.render(result, settings, description));
        return summary;
    }
}
