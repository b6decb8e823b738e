package dev.samediff.dl4j.contract;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.*;
import dev.samediff.dl4j.AdapterTransfer;
import dev.samediff.dl4j.testing.Adapted;
import java.util.*;
import java.util.function.*;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.layers.*;
import org.deeplearning4j.nn.conf.layers.misc.*;
import org.deeplearning4j.nn.conf.layers.recurrent.*;
import org.deeplearning4j.nn.conf.layers.util.*;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

public class Explore {
    static String say(Throwable t) { while (t.getCause() != null) t = t.getCause(); StackTraceElement[] s = t.getStackTrace(); return t.getClass().getSimpleName() + ": " + String.valueOf(t.getMessage()).split("\n")[0] + (t instanceof InvalidInputException || s.length==0 ? "" : " @" + s[0]); }
    static String show(Deviation d) { return String.format("%.1e%s |g| %.1e min %.1e moved %.1e", d.relative(), d.relative() > 1e-6 ? " *** " + d.tensor() + " x" + d.factor() : "", d.norm(), d.smallest(), d.moved()); }
    public static void main(String[] a) {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
        String only = a.length > 0 ? a[0] : "";
        List<Example> all = new ArrayList<>();
        all.addAll(FlatExamples.all()); all.addAll(SequenceExamples.all()); all.addAll(ImageExamples.images()); all.addAll(ImageExamples.volumes()); all.addAll(OutputExamples.all());
        Map<String, UnaryOperator<Layer>> wraps = new LinkedHashMap<>();
        wraps.put("", l -> l);
        if (a.length < 2) {
        wraps.put("maskzero", l -> new MaskZeroLayer(l, 0.0)); wraps.put("last", LastTimeStep::new); wraps.put("timedist", TimeDistributed::new);
        wraps.put("frozen", FrozenLayer::new); wraps.put("frozenbp", FrozenLayerWithBackprop::new); wraps.put("bidir", l -> new Bidirectional(Bidirectional.Mode.ADD, l)); }
        long t0 = System.nanoTime();
        for (Example e : all) {
            if (!e.type().getSimpleName().contains(only)) continue;
            for (var w : wraps.entrySet()) for (boolean noise : w.getKey().isEmpty() ? new boolean[] {false, true} : new boolean[] {false}) {
                String name = w.getKey() + "(" + e.type().getSimpleName() + ")" + (noise ? "+noise" : "");
                Example ex = e;
                if (w.getKey().equals("last")) ex = new Example(e.type(), e.in(), Shape.FLAT, e.layer(), e.labels(), e.untrained());
                if (w.getKey().equals("timedist")) ex = new Example(e.type(), Shape.SEQUENCE, Shape.SEQUENCE, e.layer(), e.labels(), e.untrained());
                Example f = ex;
                String[] at = {"plain"}; Supplier<MultiLayerNetwork> make = () -> { Layer l = f.layer().get(); if (noise) { l.setIDropout(new Dropout(0.6)); if (l instanceof BaseLayer b && (at[0].equals("above") || at[0].equals("below"))) b.setWeightNoise(new DropConnect(0.7)); } return Networks.around(f, w.getValue().apply(l)); };
                MultiLayerNetwork net;
                Set<String> ignored = new TreeSet<>();
                try { net = make.get(); 
                    Set<String> trained = new TreeSet<>(net.paramTable().keySet());
                    for (String n : net.paramTable().keySet()) for (String u : e.untrained()) if (n.endsWith("_" + u) || n.endsWith(u) && !w.getKey().isEmpty()) { ignored.add(n); trained.remove(n); }
                    System.out.println(name + " plain " + show(Deviation.of(new Trial(net, Networks.data(f)), trained, ignored)));
                } catch (Throwable t) { System.out.println(name + " plain EXC " + say(t)); if (!w.getKey().isEmpty()) continue; }
                for (String pos : new String[] {"adapted", "above", "below", "trained"}) for (AdapterMethod m : List.of((AdapterMethod) Lora.rank(2), Pissa.rank(1))) {
                    try {
                        at[0] = pos;
                        AdapterTransfer.Builder b = new AdapterTransfer.Builder(make.get()).method(m.rank() == 2 && (f.type() == OutputLayer.class) ? m : m);
                        switch (pos) { case "adapted" -> b.layers("tested"); case "above" -> { if (f.in().bottom().isEmpty()) continue; b.layers("below"); } case "below" -> { if (f.out() == null) continue; b.layers("output"); }
                            default -> b.layers(f.in().bottom().isEmpty() ? "output" : "below").trainFully("tested"); }
                        MultiLayerNetwork ad = b.build();
                        Adapted.disturb(ad, 0.2);
                        Set<String> trained = new TreeSet<>(Adapted.trainable(ad));
                        if (pos.equals("trained")) for (String n : ad.paramTable().keySet()) if (n.startsWith((f.in().bottom().isEmpty() ? "0" : "1") + "_") && !ignored.contains(n)) trained.add(n);
                        Trial trial = new Trial(ad, Networks.data(f));
                        String det = trial.score(true) == trial.score(false) ? "" : " score(train) != score(test) by " + (trial.score(true) - trial.score(false));
                        System.out.println("    " + name + " " + pos + " " + m.name() + " " + show(Deviation.of(trial, trained, pos.equals("trained") ? ignored : Set.of())) + det + " merged " + Adapted.difference(new Trial(AdapterTransfer.merge(ad), Networks.data(f)).output(), trial.output()));
                    } catch (Throwable t) { System.out.println("    " + name + " " + pos + " " + m.name() + " EXC " + say(t)); }
                }
            }
        }
        System.out.println((System.nanoTime() - t0) / 1e9 + " s");
    }
}
