package dev.samediff.dl4j.contract;

import dev.samediff.adapters.method.*;
import dev.samediff.dl4j.AdapterTransfer;
import java.util.*;
import java.util.function.*;
import org.deeplearning4j.nn.conf.*;
import org.deeplearning4j.nn.conf.graph.*;
import org.deeplearning4j.nn.conf.layers.*;
import org.deeplearning4j.nn.conf.layers.recurrent.*;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.*;
import org.deeplearning4j.util.TimeSeriesUtils;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.*;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

public class Explore3 {
    static INDArray rnd(long... s) { Random r = new Random(9); INDArray x = Nd4j.create(DataType.DOUBLE, s); for (long i = 0; i < x.length(); i++) x.putScalar(i, r.nextGaussian()); return x; }
    public static void main(String[] a) {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
        INDArray m = Nd4j.createFromArray(new double[][] {{1,1,1,0,0},{1,1,1,1,1},{1,0,0,0,0}});
        System.out.println("reversed mask\n" + TimeSeriesUtils.reverseTimeSeriesMask(m, LayerWorkspaceMgr.noWorkspaces(), ArrayType.INPUT));
        System.out.println("reversed mask f\n" + TimeSeriesUtils.reverseTimeSeriesMask(m.dup('f'), LayerWorkspaceMgr.noWorkspaces(), ArrayType.INPUT));
        System.out.println("reversed mask 1 row\n" + TimeSeriesUtils.reverseTimeSeriesMask(m.getRow(0, true).dup(), LayerWorkspaceMgr.noWorkspaces(), ArrayType.INPUT));
        Map<String, Supplier<Layer>> kinds = new LinkedHashMap<>();
        kinds.put("LastTimeStep(LSTM)", () -> new LastTimeStep(SequenceExamples.lstm()));
        for (Bidirectional.Mode mode : Bidirectional.Mode.values()) kinds.put("LastTimeStep(Bidirectional " + mode + ")", () -> new LastTimeStep(new Bidirectional(mode, SequenceExamples.lstm())));
        kinds.put("Bidirectional", () -> new Bidirectional(Bidirectional.Mode.CONCAT, SequenceExamples.lstm()));
        kinds.put("LSTM", SequenceExamples::lstm);
        kinds.put("GravesBidir", () -> new GravesBidirectionalLSTM.Builder().nIn(4).nOut(3).activation(Activation.TANH).build());
        for (int which : new int[] {0, 1, 2}) for (var k : kinds.entrySet()) try {
            boolean seq = !k.getKey().startsWith("Last");
            Supplier<MultiLayerNetwork> mk = () -> { NeuralNetConfiguration.ListBuilder b = Networks.settings().list().layer(k.getValue().get());
                b.layer(seq ? new RnnOutputLayer.Builder(LossFunction.MCXENT).nOut(2).activation(Activation.SOFTMAX).build() : new OutputLayer.Builder(LossFunction.MCXENT).nOut(2).activation(Activation.SOFTMAX).build());
                MultiLayerNetwork n = new MultiLayerNetwork(b.setInputType(org.deeplearning4j.nn.conf.inputs.InputType.recurrent(4, 5)).build()); n.init(); return n; };
            int len = new int[] {3, 5, 1}[which];
            INDArray x = rnd(1, 4, 5), mask = m.getRow(which, true).dup(), y = seq ? Nd4j.zeros(DataType.DOUBLE, 1, 2, 5) : Nd4j.createFromArray(new double[][] {{0, 1}});
            if (seq) for (int t = 0; t < 5; t++) y.putScalar(new int[] {0, t % 2, t}, 1);
            INDArray xc = x.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(0, len)).dup(), yc = seq ? y.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(0, len)).dup() : y;
            MultiLayerNetwork n1 = mk.get(), n2 = mk.get();
            DataSet cut = new DataSet(xc, yc), masked = new DataSet(x, y, mask, seq ? mask.dup() : null);
            double s1 = n1.score(cut), s2 = n2.score(masked), t2 = n2.score(masked, true);
            MultiLayerNetwork n3 = mk.get();
            Deviation dev = Deviation.of(new Trial(n3, new MultiDataSet(new INDArray[] {x}, new INDArray[] {y}, new INDArray[] {mask}, seq ? new INDArray[] {mask.dup()} : null)), new TreeSet<>(n3.paramTable().keySet()), Set.of());
            INDArray b = n1.params().dup(); n1.fit(cut); n2.fit(masked); INDArray g1 = b.sub(n1.params()), g2 = b.sub(n2.params());
            System.out.printf("%-40s len %d score cut %.6f masked %.6f train %.6f; step cut %.6f masked %.6f difference %.2e; FD %s%n", k.getKey(), len, s1, s2, t2, g1.norm2Number().doubleValue(), g2.norm2Number().doubleValue(), g1.sub(g2).norm2Number().doubleValue(), Explore.show(dev));
        } catch (Throwable t) { System.out.println(k.getKey() + " EXC " + Explore.say(t)); }
        for (String kind : new String[] {"prelu", "activation", "dense"}) for (boolean first : new boolean[] {true, false}) try {
            ComputationGraphConfiguration.GraphBuilder g = Networks.settings().graphBuilder().addInputs("x").addLayer("d", new DenseLayer.Builder().nIn(3).nOut(4).build(), "x")
                .addLayer(first ? "act" : "zact", kind.equals("prelu") ? new PReLULayer.Builder().inputShape(4).build() : kind.equals("activation") ? new ActivationLayer(Activation.SIGMOID) : FlatExamples.dense(), "d")
                .addLayer("e", new DenseLayer.Builder().nIn(4).nOut(4).build(), "d")
                .addVertex("m", new MergeVertex(), first ? "act" : "zact", "e", "d").addLayer("o", new OutputLayer.Builder().nIn(kind.equals("dense") ? 13 : 12).nOut(3).activation(Activation.SOFTMAX).build(), "m").setOutputs("o");
            ComputationGraph c = new ComputationGraph(g.build()); c.init();
            MultiDataSet data = new MultiDataSet(Shape.FLAT.features(), Example.classes(3, 3));
            System.out.println(kind + " skip plain: test " + c.score(data, false) + " train " + c.score(data, true));
            for (String ad : new String[] {"d", "e", "o"}) { ComputationGraph q = new AdapterTransfer.GraphBuilder(c).method(Pissa.rank(1)).layers(ad).build(); System.out.println("    adapted " + ad + ": test " + q.score(data, false) + " train " + q.score(data, true)); }
        } catch (Throwable t) { System.out.println(kind + " EXC " + Explore.say(t)); }
        MultiLayerNetwork p = new MultiLayerNetwork(Networks.settings().list().layer(new PReLULayer.Builder().inputShape(3).build()).layer(new DenseLayer.Builder().nOut(4).build()).layer(OutputExamples.output()).setInputType(org.deeplearning4j.nn.conf.inputs.InputType.feedForward(3)).build()); p.init();
        INDArray x = Shape.FLAT.features(), x0 = x.dup(); p.output(x); System.out.println("plain PReLU first: features moved by output " + x.sub(x0).amaxNumber());
        x = x0.dup(); p.fit(x, Example.classes(3, 3)); System.out.println("plain PReLU first: features moved by fit " + x.sub(x0).amaxNumber());
        p = new org.deeplearning4j.nn.transferlearning.TransferLearning.Builder(p).setFeatureExtractor(0).build(); x = x0.dup(); p.fit(x, Example.classes(3, 3)); System.out.println("frozen PReLU first: features moved by fit " + x.sub(x0).amaxNumber());
        x = x0.dup(); p = new AdapterTransfer.Builder(p).method(Lora.rank(2)).layers(1).build(); p.fit(x, Example.classes(3, 3)); p.output(x); System.out.println("ours: features moved " + x.sub(x0).amaxNumber());
        for (var noise : List.of(new org.deeplearning4j.nn.conf.weightnoise.DropConnect(0.7), new org.deeplearning4j.nn.conf.weightnoise.WeightNoise(new org.deeplearning4j.nn.conf.distribution.NormalDistribution(1, 0.3), false), new org.deeplearning4j.nn.conf.weightnoise.WeightNoise(new org.deeplearning4j.nn.conf.distribution.NormalDistribution(0, 0.3), true))) {
            Example e = FlatExamples.all().get(0); DenseLayer l = FlatExamples.dense(); l.setWeightNoise(noise); MultiLayerNetwork n = Networks.around(e, l); 
            System.out.println(noise + " " + Explore.show(Deviation.of(new Trial(n, Networks.data(e)), new TreeSet<>(n.paramTable().keySet()), Set.of())));
        }
    }
}
