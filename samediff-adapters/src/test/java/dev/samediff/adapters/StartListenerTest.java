package dev.samediff.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.testing.ToyGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

class StartListenerTest {
    private final SameDiff graph = ToyGraph.create(DataType.FLOAT, 4, 6);
    private final BaseModel model = new BaseModel() {
        @Override
        public SameDiff graph() {
            return graph;
        }

        @Override
        public Map<String, String> modulePaths() {
            return Map.of();
        }
    };

    @Test
    void every_weight_is_told_of_once_and_the_last_call_says_that_all_is_done() {
        List<StartProgress> told = new ArrayList<>();
        AdaptedModel adapted = AdaptedModel.inject(
                model, AdapterConfig.of(Pissa.rank(2)), StartOptions.standard().withListener(told::add));
        Set<String> modules = told.stream().map(StartProgress::module).collect(Collectors.toSet());
        assertThat(modules).containsExactlyInAnyOrder(ToyGraph.UP, ToyGraph.DOWN);
        assertThat(told).hasSize(2);
        assertThat(told.get(0).done()).isEqualTo(1);
        assertThat(told.get(1)).isEqualTo(new StartProgress(told.get(1).module(), 2, 2, 48, 48));
        adapted.add(AdapterConfig.of(Pissa.rank(1)).withName("second"));
        assertThat(told).as("an adapter that is added is told of too").hasSize(4);
    }

    @Test
    void a_listener_that_throws_ends_the_start_and_the_graph_is_as_it_was() {
        String before = graph.summary();
        StartOptions stopping = StartOptions.standard().withListener(progress -> {
            throw new IllegalStateException("enough");
        });
        assertThatThrownBy(() -> AdaptedModel.inject(model, AdapterConfig.of(Pissa.rank(2)), stopping))
                .hasMessage("enough");
        assertThat(graph.summary()).isEqualTo(before);
    }
}
