package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.LockFile;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.adapters.train.listener.MetricsFile;
import dev.samediff.importer.OnnxWriter;
import dev.samediff.samples.classify.ClassifierCandidate;
import dev.samediff.samples.classify.ClassifierData;
import dev.samediff.samples.classify.ClassifierFile;
import dev.samediff.samples.classify.ClassifierHead;
import dev.samediff.samples.classify.ClassifierSummary;
import dev.samediff.samples.classify.ClassifierTraining;
import dev.samediff.samples.classify.TextModel;
import dev.samediff.samples.finetune.Candidate;
import dev.samediff.samples.finetune.FineTuneSettings;
import dev.samediff.samples.finetune.RunFolder;
import dev.samediff.samples.finetune.StopSignal;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code finetune --task classify}, with the options of {@link FineTuneCommand}. */
final class ClassifyJob {
    private final FineTuneCommand command;
    private final FineTuneSettings settings;
    private final RunFolder folder;
    private final StopSignal stop;

    ClassifyJob(FineTuneCommand command, FineTuneSettings settings, RunFolder folder, StopSignal stop) {
        this.command = command;
        this.settings = settings;
        this.folder = folder;
        this.stop = stop;
    }

    /** A model with its head, and what is to be trained of it. */
    private record Prepared(TextModel model, String scores, Candidate candidate) {}

    ClassifierSummary run() throws IOException {
        Path modelFile = required(command.model.model, "--model", "an ONNX file, or a TensorFlow graph");
        Path tokenizer = required(command.model.tokenizer, "--tokenizer", "a tokenizer.json, or a folder with one");
        Path train = required(command.data.train, "--train", "a .csv or .jsonl file with text and label");
        ClassifierData data = ClassifierData.read(train, Optional.ofNullable(command.data.eval));
        ClassifierHead head = command.task.head(command.model.logits, command.training.seed);
        command.say("model: " + command.model.describe() + "; task: " + data.description());
        TextModel model =
                TextModel.load(modelFile, Tokenizers.load(tokenizer), Optional.ofNullable(command.model.maxLength));
        String scores = head.addTo(model, data.labels().size());
        Prepared prepared = new Prepared(model, scores, candidate(model, scores, head));
        ClassifierTraining training = new ClassifierTraining(model, data, scores, settings, command.progress(), stop);
        try (LockFile lock = command.output.open(folder);
                MetricsFile metrics = new MetricsFile(folder.metrics())) {
            ClassifierTraining.Outcome outcome = training.run(prepared.candidate(), metrics);
            ClassifierSummary summary = ClassifierSummary.of(
                    prepared.candidate(),
                    data,
                    outcome,
                    settings.plan(),
                    folder.path().toString());
            save(prepared, ClassifierFile.of(modelFile, tokenizer, model.maxLength(), data.labels(), head));
            DurableFiles.writeText(folder.summary(), Json.pretty(summary));
            return summary;
        }
    }

    private static Path required(@Nullable Path given, String option, String expected) {
        if (given == null) {
            throw new InvalidInputException(option + " is missing: --task classify needs " + expected);
        }
        return given;
    }

    private Candidate candidate(TextModel model, String scores, ClassifierHead head) {
        return switch (command.method) {
            case Candidate.FULL -> ClassifierCandidate.full(model, scores);
            case ClassifierCandidate.HEAD -> {
                if (head.trainedWhole().isEmpty()) {
                    throw new InvalidInputException("--method head has nothing to train: name modules with"
                            + " --modules-to-save, or leave --logits out for a new head");
                }
                yield ClassifierCandidate.head(model, scores, head.trainedWhole());
            }
            default -> {
                AdapterConfig config = command.adapter.config(command.method, command.training.seed);
                yield ClassifierCandidate.adapters(model, scores, config, head.trainedWhole());
            }
        };
    }

    /** Adapters are saved as such; where there are none, the whole model. */
    private void save(Prepared prepared, ClassifierFile file) throws IOException {
        if (prepared.candidate().adapted().isPresent()) {
            AdapterFolder.save(prepared.candidate().adapted().get().state(), folder.adapter());
            file.write(folder.path());
            return;
        }
        Map<String, INDArray> weights = new LinkedHashMap<>();
        for (String name : prepared.candidate().trainables()) {
            weights.put(name, prepared.candidate().graph().getArrForVarName(name));
        }
        Path merged = folder.model();
        OnnxWriter.writeMerged(prepared.model().imported(), weights, merged);
        new ClassifierFile(
                        file.task(),
                        merged.toAbsolutePath().normalize().toString(),
                        file.tokenizer(),
                        file.maxLength(),
                        file.labels(),
                        prepared.scores(),
                        file.pooling(),
                        null,
                        file.seed())
                .write(folder.path());
    }
}
