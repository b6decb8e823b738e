package dev.samediff.adapters.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.CausalLmIterator;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.GraphLogits;
import dev.samediff.adapters.text.generation.TextGenerator;
import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** Text to text: a bigram model learns from batches by SameDiff's own fit, and writes what it learned. */
class BigramEndToEndTest {
    private static final CharTokenizer TOKENIZER = CharTokenizer.ofText("abcdef:");

    private static SameDiff bigrams() {
        int vocabulary = TOKENIZER.vocabularySize();
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.LONG, -1, -1);
        SDVariable labels = graph.placeHolder("labels", DataType.INT, -1, -1);
        SDVariable mask = graph.placeHolder("label_mask", DataType.FLOAT, -1, -1);
        SDVariable table = graph.var("table", Nd4j.zeros(DataType.FLOAT, vocabulary, vocabulary));
        SDVariable flat = graph.reshape(graph.oneHot(ids, vocabulary), -1, vocabulary);
        SDVariable scores = flat.mmul(table);
        graph.reshape("logits", scores, graph.concat(0, graph.shape(ids), graph.constant(Nd4j.createFromArray((long)
                vocabulary))));
        SDVariable target = graph.reshape(graph.oneHot(labels, vocabulary), -1, vocabulary);
        SDVariable likelihood =
                graph.math.log(graph.nn.softmax(scores, 1)).mul(target).sum(1);
        SDVariable weights = graph.reshape(mask, -1);
        graph.math.neg("loss", likelihood.mul(weights).sum().div(weights.sum()));
        graph.setLossVariables("loss");
        graph.setTrainingConfig(TrainingConfig.builder()
                .updater(new Adam(0.3))
                .dataSetFeatureMapping("input_ids")
                .dataSetLabelMapping("labels")
                .dataSetLabelMaskMapping("label_mask")
                .build());
        return graph;
    }

    @Test
    void what_is_labelled_is_learned_and_written_and_the_prompt_is_not() {
        List<TextExample> examples = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            examples.add(new TextExample("ff:", "abcde"));
            examples.add(new TextExample("f:", "abcde"));
        }
        SequenceEncoder encoder = SequenceEncoder.of(TOKENIZER, 16);
        CausalLmIterator batches = new CausalLmIterator(
                encoder.encodeAll(examples).sequences(),
                TOKENIZER.padId(),
                BatchPlan.of(4, 16).shuffled(1));
        SameDiff graph = bigrams();
        graph.fit(batches, 8);
        assertThat(batches.epoch()).isEqualTo(7);
        GraphLogits model = new GraphLogits(graph, List.of("input_ids"), "logits");
        List<Generation> written = new TextGenerator(model, TOKENIZER, GenerationPlan.greedy(10, 16))
                .generateFrom(List.of(encoder.encodePrompt("f:"), encoder.encodePrompt("ff:abc")));
        assertThat(written).extracting(Generation::text).containsExactly("abcde", "de");
        assertThat(written).extracting(Generation::end).containsOnly(Generation.End.EOS);
        float[] afterPrompt = graph.getVariable("table")
                .getArr()
                .getRow(TOKENIZER.encode("f")[0])
                .toFloatVector();
        assertThat(afterPrompt).containsOnly(0f);
    }

    @Test
    void a_missing_placeholder_is_named() {
        assertThatThrownBy(() -> new GraphLogits(bigrams(), List.of("ids"), "logits"))
                .hasMessageContaining("no variable `ids`; its inputs are [input_ids, label_mask, labels]");
        assertThatThrownBy(() -> new GraphLogits(bigrams(), List.of("input_ids", "labels"), "logits"))
                .hasMessageContaining("no batch can fill the model input `labels`");
    }
}
