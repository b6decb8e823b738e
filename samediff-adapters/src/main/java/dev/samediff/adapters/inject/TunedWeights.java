package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseModel;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.GraphEditor;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The weights that saved adapters compose, in float64, one layer at a time; the graph is not changed. */
public final class TunedWeights {
    private final AdaptableLayers layers;
    private final BaseWeights bases;

    /** Looks at a base model, which must have no adapters. */
    public TunedWeights(BaseModel model) {
        this.layers = AdaptableLayers.of(model.graph(), model.modulePaths());
        this.bases = new BaseWeights(model.graph(), new GraphEditor(model.graph()), new AdapterSet());
    }

    /** One layer of one saved adapter, whose weights are computed when they are asked for. */
    public final class Layer {
        private final AdapterMethod method;
        private final AdapterState.Site saved;
        private final AdaptableSite site;

        private Layer(AdapterMethod method, AdapterState.Site saved, AdaptableSite site) {
            this.method = method;
            this.saved = saved;
            this.site = site;
        }

        /** Returns what was saved of it. */
        public AdapterState.Site saved() {
            return saved;
        }

        /** Returns the base weight [in,out], or [experts,in,out], in float64; its memory is new. */
        public INDArray before() {
            return copy(bases.of(site).trueWeight());
        }

        /** Returns the weight with the adapter's change, of the same shape, in float64 and never rounded; its memory is new. */
        public INDArray after() {
            BaseWeight base = bases.of(site);
            LowRankSum sum = new LowRankSum(site);
            if (!saved.startsAtZero()) {
                sum.add(method, saved.start(), -saved.scaling());
            }
            sum.addChange(method, saved.tensors(), saved.scaling());
            INDArray stored =
                    Nd4j.createUninitialized(DataType.DOUBLE, base.stored().shape(), 'c');
            sum.into(base.stored(), stored);
            base.release();
            return site.orientation().asInOut(stored);
        }

        private INDArray copy(INDArray weight) {
            INDArray doubles = weight.castTo(DataType.DOUBLE);
            bases.of(site).release();
            return doubles == weight ? weight.dup() : doubles;
        }
    }

    /**
     * Returns the layers of a saved adapter.
     *
     * @throws InvalidInputException if a layer is missing, has another shape or another weight than the adapter was made from, or the
     *     method composes no weight (bottleneck adapters)
     */
    public List<Layer> of(AdapterState state) {
        AdapterMethod method = state.config().method();
        method.unmergeable().ifPresent(why -> {
            throw new InvalidInputException("the adapter `" + state.config().name() + "` (" + method.name() + ") " + why
                    + ": there is nothing to analyse. Analyse an adapter of lora, olora, pissa, sorsa, dora, adalora or ia3, or a"
                    + " model that was trained whole");
        });
        List<LayerStart> starts = LayerStarts.restored(state, layers, bases);
        List<Layer> found = new ArrayList<>();
        for (int i = 0; i < starts.size(); i++) {
            found.add(
                    new Layer(method, state.sites().get(i), starts.get(i).site().layer()));
        }
        return found;
    }
}
