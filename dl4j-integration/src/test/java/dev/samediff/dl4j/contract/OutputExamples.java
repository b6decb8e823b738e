package dev.samediff.dl4j.contract;

import static dev.samediff.dl4j.contract.Example.classes;
import static dev.samediff.dl4j.contract.Shape.EXAMPLES;
import static dev.samediff.dl4j.contract.Shape.FLAT;
import static dev.samediff.dl4j.contract.Shape.IMAGE;
import static dev.samediff.dl4j.contract.Shape.SEQUENCE;
import static dev.samediff.dl4j.contract.Shape.VOLUME;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffOutputLayer;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers that end a network. */
final class OutputExamples {
    private OutputExamples() {}

    static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(3)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static INDArray boxes() {
        INDArray labels = Nd4j.zeros(DataType.DOUBLE, EXAMPLES, 5, 4, 4);
        for (int i = 0; i < EXAMPLES; i++) {
            double[] corners = {1.1 + 0.1 * i, 1.2, 2.3, 2.6};
            for (int corner = 0; corner < corners.length; corner++) {
                labels.putScalar(new int[] {i, corner, 1, 1}, corners[corner]);
            }
            labels.putScalar(new int[] {i, 4, 1, 1}, 1);
        }
        return labels;
    }

    static List<Example> all() {
        return List.of(
                Example.output(OutputLayer.class, FLAT, OutputExamples::output, () -> classes(EXAMPLES, 3)),
                Example.output(
                                CenterLossOutputLayer.class,
                                FLAT,
                                () -> new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                                        .nIn(4)
                                        .nOut(3)
                                        .lambda(0.3)
                                        .alpha(0.1)
                                        .activation(Activation.SOFTMAX)
                                        .build(),
                                () -> classes(EXAMPLES, 3))
                        .except("cL"),
                Example.output(
                        LossLayer.class,
                        FLAT,
                        () -> new LossLayer.Builder(LossFunction.MCXENT)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        () -> classes(EXAMPLES, 4)),
                Example.output(
                        RnnOutputLayer.class,
                        SEQUENCE,
                        () -> new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                .nIn(4)
                                .nOut(3)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        () -> classes(EXAMPLES, 3, 5)),
                Example.output(
                        RnnLossLayer.class,
                        SEQUENCE,
                        () -> new RnnLossLayer.Builder(LossFunction.MCXENT)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        () -> classes(EXAMPLES, 4, 5)),
                Example.output(
                        CnnLossLayer.class,
                        IMAGE,
                        () -> new CnnLossLayer.Builder(LossFunction.MCXENT)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        () -> classes(EXAMPLES, 3, 4, 4)),
                Example.output(
                        Cnn3DLossLayer.class,
                        VOLUME,
                        () -> new Cnn3DLossLayer.Builder(
                                        org.deeplearning4j.nn.conf.layers.Convolution3D.DataFormat.NCDHW)
                                .lossFunction(LossFunction.MCXENT)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        () -> classes(EXAMPLES, 2, 4, 4, 4)),
                Example.output(
                        Yolo2OutputLayer.class,
                        Shape.BOXES,
                        () -> new Yolo2OutputLayer.Builder()
                                .boundingBoxPriors(Nd4j.createFromArray(new double[][] {{1.2, 1.1}}))
                                .build(),
                        OutputExamples::boxes),
                Example.output(
                        SameDiffOutputLayer.class,
                        FLAT,
                        () -> new OwnSameDiff.Output(4, 3),
                        () -> classes(EXAMPLES, 3)),
                Example.output(
                                OCNNOutputLayer.class,
                                FLAT,
                                () -> new OCNNOutputLayer.Builder()
                                        .nIn(4)
                                        .hiddenLayerSize(5)
                                        .nu(0.3)
                                        .initialRValue(2.0)
                                        .configureR(false)
                                        .windowSize(100)
                                        .activation(Activation.SIGMOID.getActivationFunction())
                                        .build(),
                                () -> Nd4j.ones(DataType.DOUBLE, EXAMPLES, 1))
                        .except("r"));
    }
}
