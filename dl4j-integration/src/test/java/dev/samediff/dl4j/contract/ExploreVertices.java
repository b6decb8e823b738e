package dev.samediff.dl4j.contract;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.method.*;
import dev.samediff.dl4j.AdapterTransfer;
import dev.samediff.dl4j.testing.Adapted;
import java.util.*;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

public class ExploreVertices {
    public static void main(String[] a) {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
        String only = a.length > 0 ? a[0] : "";
        for (VertexExample e : VertexExamples.all()) {
            String name = e.type().getSimpleName();
            if (!name.contains(only)) continue;
            try { ComputationGraph g = e.graph(); System.out.println(name + " plain " + Explore.show(Deviation.of(new Trial(g, e.data()), new TreeSet<>(g.paramTable().keySet()), Set.of()))); }
            catch (Throwable t) { System.out.println(name + " plain EXC " + Explore.say(t)); }
            for (String pos : new String[] {"above", "below", "trained"}) for (AdapterMethod m : List.of((AdapterMethod) Lora.rank(2), Pissa.rank(1))) {
                try {
                    if (pos.equals("below") && e.width() == 1 && m.rank() > 1) continue;
                    AdapterTransfer.GraphBuilder b = new AdapterTransfer.GraphBuilder(e.graph()).method(m);
                    if (pos.equals("below")) b.layers("output"); else b.layers(e.below().toArray(new String[0]));
                    if (pos.equals("trained")) b.trainFully("tested");
                    ComputationGraph ad = b.build();
                    Adapted.disturb(ad, 0.2);
                    Set<String> trained = new TreeSet<>(Adapted.trainable(ad));
                    if (pos.equals("trained")) for (String n : ad.paramTable().keySet()) if (n.startsWith("tested_")) trained.add(n);
                    Trial trial = new Trial(ad, e.data());
                    String det = trial.score(true) == trial.score(false) ? "" : " score(train) != score(test) by " + (trial.score(true) - trial.score(false));
                    System.out.println("    " + name + " " + pos + " " + m.name() + " " + trained.size() + " " + Explore.show(Deviation.of(trial, trained, Set.of())) + det + " merged " + Adapted.difference(new Trial(AdapterTransfer.merge(ad), e.data()).output(), trial.output()));
                } catch (Throwable t) { System.out.println("    " + name + " " + pos + " " + m.name() + " EXC " + Explore.say(t)); if (System.getenv("T") != null) t.printStackTrace(System.out); }
            }
        }
    }
}
