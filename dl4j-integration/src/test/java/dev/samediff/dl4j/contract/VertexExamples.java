package dev.samediff.dl4j.contract;

import static dev.samediff.dl4j.contract.Networks.TESTED;
import static dev.samediff.dl4j.contract.Shape.FLAT;
import static dev.samediff.dl4j.contract.Shape.IMAGE;
import static dev.samediff.dl4j.contract.Shape.SEQUENCE;
import static dev.samediff.dl4j.contract.VertexExample.LEFT;
import static dev.samediff.dl4j.contract.VertexExample.RIGHT;

import dev.samediff.dl4j.conf.VertexCopies;
import java.util.List;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.graph.L2Vertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PoolHelperVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.graph.rnn.ReverseTimeSeriesVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaVertex;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;

/** Vertices of graphs. */
final class VertexExamples {
    private static final List<String> ONE = List.of(LEFT);
    private static final List<String> TWO = List.of(LEFT, RIGHT);

    private VertexExamples() {}

    private static VertexExample one(Shape in, Shape out, int width, GraphVertex vertex) {
        return new VertexExample(
                vertex.getClass(),
                in,
                out,
                width,
                ONE,
                builder -> builder.addVertex(TESTED, VertexCopies.of(vertex), LEFT));
    }

    private static VertexExample two(Class<?> type, Shape shape, int width, GraphVertex vertex) {
        return new VertexExample(
                type,
                shape,
                shape,
                width,
                TWO,
                builder -> builder.addVertex(TESTED, VertexCopies.of(vertex), LEFT, RIGHT));
    }

    /** The two layers one below the other in the batch, through a layer that both share, and apart again. */
    private static VertexExample stacked(Class<?> type) {
        return new VertexExample(
                type,
                FLAT,
                FLAT,
                10,
                TWO,
                builder -> builder.addVertex("stack", new StackVertex(), LEFT, RIGHT)
                        .addLayer(
                                "shared",
                                new DenseLayer.Builder().nIn(4).nOut(5).build(),
                                "stack")
                        .addVertex("first", new UnstackVertex(0, 2), "shared")
                        .addVertex("second", new UnstackVertex(1, 2), "shared")
                        .addVertex(TESTED, new MergeVertex(), "first", "second"));
    }

    static List<VertexExample> all() {
        return List.of(
                two(ElementWiseVertex.class, FLAT, 4, new ElementWiseVertex(ElementWiseVertex.Op.Product)),
                two(MergeVertex.class, FLAT, 8, new MergeVertex()),
                two(L2Vertex.class, FLAT, 1, new L2Vertex()),
                one(FLAT, FLAT, 2, new SubsetVertex(1, 2)),
                one(FLAT, FLAT, 4, new ScaleVertex(1.5)),
                one(FLAT, FLAT, 4, new ShiftVertex(0.5)),
                one(FLAT, FLAT, 4, new L2NormalizeVertex()),
                one(FLAT, FLAT, 4, new ReshapeVertex(-1, 4)),
                new VertexExample(
                        FrozenVertex.class,
                        FLAT,
                        FLAT,
                        4,
                        ONE,
                        builder -> builder.addVertex(TESTED, new FrozenVertex(new ScaleVertex(1.5)), LEFT)),
                new VertexExample(
                        LayerVertex.class,
                        FLAT,
                        FLAT,
                        5,
                        ONE,
                        builder -> builder.addLayer(TESTED, FlatExamples.dense(), LEFT)),
                stacked(StackVertex.class),
                stacked(UnstackVertex.class),
                one(IMAGE, IMAGE, 3, new PoolHelperVertex()),
                one(IMAGE, FLAT, 48, new PreprocessorVertex(new CnnToFeedForwardPreProcessor(4, 4, 3))),
                one(SEQUENCE, FLAT, 4, new LastTimeStepVertex("x")),
                one(SEQUENCE, SEQUENCE, 4, new ReverseTimeSeriesVertex()),
                new VertexExample(
                        DuplicateToTimeSeriesVertex.class,
                        SEQUENCE,
                        SEQUENCE,
                        4,
                        ONE,
                        builder -> builder.addVertex("last", new LastTimeStepVertex("x"), LEFT)
                                .addVertex(TESTED, new DuplicateToTimeSeriesVertex("x"), "last")),
                new VertexExample(
                        AttentionVertex.class,
                        SEQUENCE,
                        SEQUENCE,
                        4,
                        TWO,
                        builder -> builder.addVertex(
                                TESTED,
                                new AttentionVertex.Builder()
                                        .nInKeys(4)
                                        .nInQueries(4)
                                        .nInValues(4)
                                        .nOut(4)
                                        .nHeads(2)
                                        .headSize(2)
                                        .projectInput(true)
                                        .build(),
                                LEFT,
                                RIGHT,
                                RIGHT)),
                two(SameDiffVertex.class, FLAT, 4, new OwnSameDiff.Vertex(4, 4)),
                two(SameDiffLambdaVertex.class, FLAT, 4, new OwnSameDiff.LambdaVertex()));
    }
}
