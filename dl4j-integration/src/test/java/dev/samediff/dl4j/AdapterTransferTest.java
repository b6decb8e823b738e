package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.layer.RunningLayer;
import dev.samediff.dl4j.testing.Adapted;
import dev.samediff.dl4j.testing.Blobs;
import dev.samediff.dl4j.testing.LayerCase;
import java.util.Map;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.schedule.ScheduleType;
import org.nd4j.linalg.schedule.StepSchedule;

class AdapterTransferTest {
    private static final MultiLayerNetwork TRAINED = Blobs.trained();

    private AdapterTransfer.Builder transfer() {
        return new AdapterTransfer.Builder(TRAINED).method(Lora.rank(2));
    }

    @Test
    void without_a_word_every_matrix_is_adapted() {
        MultiLayerNetwork adapted =
                new AdapterTransfer.Builder(TRAINED).method(Lora.rank(3)).build();
        assertThat(Adapted.trainable(adapted))
                .containsExactly("0_W.loraA", "0_W.loraB", "1_W.loraA", "1_W.loraB", "2_W.loraA", "2_W.loraB");
    }

    @Test
    void layers_are_chosen_by_name_index_and_pattern() {
        assertThat(Adapted.trainable(transfer().layers("second").build())).containsExactly("1_W.loraA", "1_W.loraB");
        assertThat(Adapted.trainable(transfer().layers(0, 2).build()))
                .hasSize(4)
                .contains("0_W.loraA", "2_W.loraA");
        assertThat(Adapted.trainable(transfer().layersMatching("(first|out.*)").build()))
                .containsExactlyElementsOf(
                        Adapted.trainable(transfer().layers(0, 2).build()));
    }

    @Test
    void ranks_by_pattern_follow_the_selector() {
        MultiLayerNetwork adapted = transfer()
                .targets(TargetSelector.suffixes("first", "second").withRankPattern(Map.of("second", 5)))
                .build();
        assertThat(adapted.getParam("0_W.loraA").columns()).isEqualTo(2);
        assertThat(adapted.getParam("1_W.loraA").columns()).isEqualTo(5);
    }

    @Test
    void one_weight_of_a_layer_with_several_is_chosen_by_its_name() {
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(LayerCase.LSTM_CELLS.network(DataType.FLOAT))
                .method(Pissa.rank(2))
                .layers("adapted.RW")
                .build();
        assertThat(Adapted.trainable(adapted)).containsExactly("0_RW.loraA", "0_RW.loraB");
        assertThat(adapted.paramTable()).containsKeys("0_RW.loraA0", "0_RW.loraB0");
    }

    @Test
    void layers_below_the_first_adapted_one_get_no_backward_pass() {
        MultiLayerNetwork adapted = transfer().layers("output").build();
        assertThat(adapted.getLayer(0)).isInstanceOf(FrozenLayer.class);
        assertThat(adapted.getLayer(1)).isInstanceOf(FrozenLayer.class);
        assertThat(adapted.getLayer(2)).isInstanceOf(RunningLayer.class);
    }

    @Test
    void a_layer_can_be_trained_in_full_beside_the_adapters() {
        MultiLayerNetwork adapted =
                transfer().layers("first").trainFully("output").build();
        MultiLayerNetwork before = adapted.clone();
        adapted.fit(Blobs.batches(32, 1, 2));
        assertThatBits(adapted.getParam("2_W")).isNotEqualTo(before.getParam("2_W"));
        assertThatBits(adapted.getParam("1_W")).isEqualTo(before.getParam("1_W"));
        assertThatBits(adapted.getParam("0_W")).isEqualTo(before.getParam("0_W"));
        assertThatBits(AdapterTransfer.merge(adapted).getParam("2_W")).isEqualTo(adapted.getParam("2_W"));
    }

    @Test
    void a_network_learns_through_its_adapters_and_the_given_one_stays_as_it_was() {
        MultiLayerNetwork copy = TRAINED.clone();
        double before = TRAINED.evaluate(Blobs.batches(120, 2, 9)).accuracy();
        MultiLayerNetwork adapted = transfer().build();
        adapted.fit(Blobs.batches(96, 2, 3), 12);
        assertThat(adapted.evaluate(Blobs.batches(120, 2, 9)).accuracy()).isGreaterThan(Math.max(0.9, before));
        assertThatBits(TRAINED.params()).isEqualTo(copy.params());
        assertThatBits(AdapterTransfer.unload(adapted).params()).isEqualTo(copy.params());
    }

    @Test
    void fine_tuning_configurations_are_applied_to_what_is_trained() {
        MultiLayerNetwork adapted = transfer()
                .fineTuneConfiguration(FineTuneConfiguration.builder()
                        .updater(new Sgd(0.5))
                        .l2(0.01)
                        .build())
                .build();
        assertThat(adapted.getLayer(0).getConfig().getUpdaterByParam("W.loraA")).isEqualTo(new Sgd(0.5));
        assertThat(adapted.getLayer(0).getConfig().getRegularizationByParam("W.loraA"))
                .hasSize(1);
        assertThat(adapted.getLayer(0).getConfig().getRegularizationByParam("W"))
                .isEmpty();
        BaseLayer merged = (BaseLayer) AdapterTransfer.merge(adapted)
                .getLayerWiseConfigurations()
                .getConf(0)
                .getLayer();
        assertThat(merged.getIUpdater()).isEqualTo(new Sgd(0.5));
    }

    @Test
    void networks_frozen_by_transfer_learning_can_be_adapted() {
        MultiLayerNetwork frozen =
                new TransferLearning.Builder(TRAINED).setFeatureExtractor(1).build();
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(frozen)
                .method(Sorsa.rank(2))
                .layers("first")
                .build();
        var features = Blobs.data(6, 0, 1).getFeatures();
        assertThat(Adapted.difference(TRAINED.output(features), adapted.output(features)))
                .isLessThan(1e-5);
        assertThat(Adapted.trainable(adapted)).contains("0_W.sorsaS");
    }

    @Test
    void the_two_starts_of_a_seed_are_equal_and_those_of_two_seeds_are_not() {
        assertThatBits(transfer().seed(4).build().params())
                .isEqualTo(transfer().seed(4).build().params());
        assertThatBits(transfer().seed(4).build().params())
                .isNotEqualTo(transfer().seed(5).build().params());
    }

    @Test
    void unknown_layers_are_refused_with_those_that_exist() {
        assertThatThrownBy(() -> transfer().layers("thrid").build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`thrid`", "first, second, output");
        assertThatThrownBy(() -> transfer().layers(7).build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("layer 7", "0 to 2", "first, second, output");
        assertThatThrownBy(() -> transfer().layersMatching("dense.*").build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("dense.*", "first, second, output");
        assertThatThrownBy(() -> transfer().trainFully("head").build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`head`", "first, second, output");
    }

    @Test
    void layers_without_weights_are_refused_with_those_that_have_some() {
        MultiLayerNetwork network = LayerCase.LSTM_CELLS.network(DataType.FLOAT);
        assertThatThrownBy(() -> new AdapterTransfer.Builder(network)
                        .method(Lora.rank(2))
                        .layers("pooling")
                        .build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`pooling`", "has no weights", "adapted.W, adapted.RW, output");
    }

    @Test
    void a_rank_too_large_is_refused_with_the_largest() {
        assertThatThrownBy(
                        () -> transfer().method(Lora.rank(4)).layers("output").build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("rank 4", "`output` [12,3]", "between 1 and 3");
    }

    @Test
    void an_adapted_network_is_not_adapted_again_and_a_plain_one_not_merged() {
        MultiLayerNetwork adapted = transfer().build();
        assertThatThrownBy(() -> new AdapterTransfer.Builder(adapted).build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`first`", "adapted already", "merge or unload");
        assertThatThrownBy(() -> AdapterTransfer.merge(TRAINED))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no adapted layer");
    }

    @Test
    void contradictions_are_refused() {
        assertThatThrownBy(() -> transfer().layers("first").trainFully("first").build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`first`", "in full", "give one of them");
        assertThatThrownBy(() ->
                        transfer().layers("first").layersMatching("second").build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("first", "second", "give one of them");
    }

    @Test
    void a_penalty_under_a_schedule_asks_for_the_peak() {
        AdapterTransfer.Builder scheduled = new AdapterTransfer.Builder(TRAINED)
                .method(Sorsa.rank(2))
                .fineTuneConfiguration(FineTuneConfiguration.builder()
                        .updater(new Adam(new StepSchedule(ScheduleType.EPOCH, 0.1, 0.5, 3)))
                        .build());
        assertThatThrownBy(scheduled::build)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("sorsa", "`first`", "peakLearningRate");
        assertThat(Adapted.trainable(scheduled.peakLearningRate(0.1).build())).isNotEmpty();
        assertThatThrownBy(() -> scheduled.peakLearningRate(0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("not a positive number");
    }
}
