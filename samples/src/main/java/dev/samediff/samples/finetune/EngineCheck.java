package dev.samediff.samples.finetune;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.model.LanguageModel;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Tries the compiled engine with a few training steps of the bundled model. */
public final class EngineCheck {
    private static final int STEPS = 18;
    private static final int BATCH = 4;
    private static final int LENGTH = 32;
    private static final int RANK = 8;

    private EngineCheck() {}

    /** Returns what the steps were executed by on this machine. */
    public static ExecutionReport bundledModel() {
        BundledModel bundled = BundledModel.extract();
        LanguageModel model = LanguageModel.load(
                bundled.onnx(), Tokenizers.load(bundled.vocabulary()), Optional.empty(), Optional.empty());
        Candidate candidate = Candidate.adapters(model, AdapterConfig.of(Lora.rank(RANK)));
        INDArray ids = Nd4j.ones(DataType.LONG, BATCH, LENGTH);
        Map<String, INDArray> inputs =
                new HashMap<>(model.inputs().fill(ids, new int[] {LENGTH, LENGTH, LENGTH, LENGTH}));
        inputs.put(candidate.loss().labels(), Nd4j.ones(DataType.INT, BATCH, LENGTH));
        inputs.put(candidate.loss().mask(), Nd4j.ones(DataType.FLOAT, BATCH, LENGTH));
        try (CompiledEngine engine = new CompiledEngine(
                candidate.graph(), candidate.loss().loss(), candidate.trainables(), EngineOptions.defaults())) {
            for (int step = 0; step < STEPS; step++) {
                engine.gradients(inputs);
            }
            return engine.report().orElseThrow();
        }
    }
}
