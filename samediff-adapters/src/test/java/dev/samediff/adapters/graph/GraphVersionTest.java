package dev.samediff.adapters.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.ToyGraph;
import dev.samediff.adapters.train.Trainable;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.optimizer.Parameters;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

class GraphVersionTest {
    private static final String UP = ToyGraph.UP + ".weight";

    private final SameDiff graph = ToyGraph.create(DataType.FLOAT, 6, 8);
    private final GraphVersion version = GraphVersion.of(graph);

    private boolean countsStructure(Runnable change) {
        long before = version.structure();
        change.run();
        return version.structure() > before;
    }

    private boolean countsValue(String variable, Runnable change) {
        long before = version.value(variable);
        long all = version.values();
        change.run();
        return version.value(variable) > before && version.values() > all;
    }

    private String opOf(String variable) {
        return graph.getVariableOutputOp(variable).getOwnName();
    }

    @Test
    void belongs_to_one_graph_object_however_that_changes() {
        assertThat(GraphVersion.of(ToyGraph.create(DataType.FLOAT, 6, 8))).isNotSameAs(version);
        graph.constant("more", 1f);
        AdaptedModel.inject(graph, AdapterConfig.of(Pissa.rank(2)));
        assertThat(GraphVersion.of(graph)).isSameAs(version);
        assertThat(GraphVersion.of(graph.dup())).isNotSameAs(version);
    }

    @Test
    void every_edit_of_the_structure_counts() {
        GraphEditor editor = new GraphEditor(graph);
        GraphEditor.Insertion[] made = new GraphEditor.Insertion[1];
        Map<String, Runnable> edits = new LinkedHashMap<>();
        edits.put("insert", () -> made[0] = editor.insert("up", "up/base", up -> up.mul("up/twice", 2)));
        edits.put("remove", () -> editor.remove(made[0], List.of()));
        edits.put("record", () -> editor.record(() -> graph.getVariable("out").mul("thrice", 3)));
        edits.put("removeWithProducers", () -> editor.removeWithProducers(List.of("thrice")));
        edits.put("addTrainables", () -> editor.addTrainables(Map.of("a", Nd4j.ones(3))));
        edits.put("freeze", () -> editor.freeze(List.of(UP)));
        edits.put("unfreeze", () -> editor.unfreeze(List.of(UP)));
        edits.put("separate", () -> editor.separate(UP, UP + ".copy", List.of(opOf("up"))));
        edits.put("rejoin", () -> editor.rejoin(UP, UP + ".copy"));
        edits.put("invalidate", editor::invalidate);
        edits.put("a loss", () -> Losses.classification(graph, "out"));
        edits.put("a name", () -> OpNames.rename(graph, opOf("out"), "renamed"));
        edits.forEach((name, edit) -> assertThat(countsStructure(edit)).as(name).isTrue());
    }

    @Test
    void every_write_into_the_graph_s_arrays_counts() {
        AdaptedModel model =
                AdaptedModel.inject(graph, AdapterConfig.of(Sorsa.rank(2)).withName("one"));
        String trained = model.trainableNames().get(0);
        String coefficient = "one/penalty_coefficient";
        String scaling = ToyGraph.UP + ".scaling.one";
        Trainable trainable = Trainable.of(graph, model.trainableNames());
        assertThat(countsValue(UP, model::disable)).isTrue();
        assertThat(countsValue(scaling, model::enable)).isTrue();
        assertThat(countsValue(UP, model::merge)).isTrue();
        assertThat(countsValue(UP, model::unmerge)).isTrue();
        assertThat(countsValue(UP, () -> model.activate("one")))
                .as("nothing changes")
                .isFalse();
        assertThat(countsValue(UP, model::activate)).isTrue();
        assertThat(countsValue(UP, () -> model.activate("one"))).isTrue();
        assertThat(countsValue(coefficient, () -> model.peakLearningRate(0.1))).isTrue();
        assertThat(countsValue(trained, () -> model.restore(model.trainables())))
                .isTrue();
        Parameters parameters = new Parameters(trainable);
        assertThat(countsValue(trained, () -> parameters.write(parameters.read())))
                .isTrue();
        assertThat(countsValue(UP, () -> model.remove("one"))).isTrue();
        assertThat(countsValue(UP, () -> new GraphEditor(graph).replaceArray(UP, Nd4j.ones(6, 8))))
                .isTrue();
    }

    @Test
    void a_write_to_one_variable_leaves_the_others_numbers_alone() {
        version.valueChanged("a");
        long a = version.value("a");
        version.valuesChanged(List.of("b", "c"));
        assertThat(version.value("a")).isEqualTo(a);
        assertThat(version.value("b"))
                .isEqualTo(version.value("c"))
                .isEqualTo(version.values())
                .isGreaterThan(a);
        assertThat(version.value("never")).isZero();
    }

    @Test
    void many_threads_count_every_change() {
        IntStream.range(0, 1000).parallel().forEach(i -> {
            GraphVersion.of(graph).structureChanged();
            GraphVersion.of(graph).valueChanged("v" + i % 3);
        });
        assertThat(version.structure()).isEqualTo(1000);
        assertThat(version.values()).isEqualTo(1000);
        assertThat(List.of(version.value("v0"), version.value("v1"), version.value("v2")))
                .contains(1000L);
    }
}
