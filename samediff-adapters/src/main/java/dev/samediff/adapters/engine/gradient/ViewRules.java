package dev.samediff.adapters.engine.gradient;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.List;
import java.util.Map;

/** Operations that move numbers: their gradients move back. */
final class ViewRules {
    private ViewRules() {}

    static void register(Map<Class<? extends Op>, Rule> table) {
        table.put(
                Op.Reshape.class,
                (node, g, backward) -> backward.add(
                        node.input(0),
                        backward.builder().reshape(g, node.input(0).shape())));
        table.put(Op.Permute.class, ViewRules::permute);
        table.put(
                Op.Slice.class,
                (node, g, backward) ->
                        backward.add(node.input(0), ((Op.Slice) node.op()).axis(), ((Op.Slice) node.op()).begin(), g));
        table.put(
                Op.Expand.class, (node, g, backward) -> backward.add(node.input(0), backward.sumTo(g, node.input(0))));
        table.put(Op.Concat.class, ViewRules::concat);
        table.put(
                Op.Cast.class,
                (node, g, backward) -> backward.add(
                        node.input(0), backward.builder().cast(g, node.input(0).type())));
        table.put(Op.Gather.class, ViewRules::gather);
    }

    private static void permute(Node node, Tensor g, Backward backward) {
        List<Integer> axes = ((Op.Permute) node.op()).axes();
        int[] inverse = new int[axes.size()];
        for (int i = 0; i < inverse.length; i++) {
            inverse[axes.get(i)] = i;
        }
        backward.add(node.input(0), backward.builder().permute(g, inverse));
    }

    private static void concat(Node node, Tensor g, Backward backward) {
        int axis = ((Op.Concat) node.op()).axis();
        long begin = 0;
        for (Tensor part : node.inputs()) {
            if (backward.wants(part)) {
                backward.add(part, backward.builder().slice(g, axis, begin, part.size(axis)));
            }
            begin += part.size(axis);
        }
    }

    private static void gather(Node node, Tensor g, Backward backward) {
        Tensor table = node.input(0);
        if (backward.wants(table)) {
            backward.add(
                    table,
                    backward.builder()
                            .add(new Op.GatherGrad(), List.of(g, node.input(1)), table.type(), table.shape()));
        }
    }
}
