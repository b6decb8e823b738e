package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_desc_base;
import org.bytedeco.javacpp.Pointer;

/** A primitive of oneDNN with its arguments. Holds everything native that it uses. */
final class Primitive implements Kernel {
    private final primitive code;
    private final IntMemoryMap arguments = new IntMemoryMap();
    private final Argument[] movable;
    private final String implementation;

    private Primitive(primitive code, String implementation, List<Argument> movable) {
        this.code = code;
        this.implementation = implementation;
        this.movable = movable.toArray(Argument[]::new);
        movable.forEach(a -> arguments.put(a.index, a.memory));
    }

    /** Starts a primitive of a description; its working memory is part of the assembly's. */
    static Builder of(Assembly assembly, primitive_desc_base description) {
        return new Builder(assembly, description);
    }

    /** Returns the name of the implementation that oneDNN chose. */
    static String implementation(primitive_desc_base description) {
        return description.impl_info_str().getString();
    }

    /** Returns whether oneDNN has nothing for this but its slow reference code. */
    static boolean isReference(primitive_desc_base description) {
        return implementation(description).startsWith("ref");
    }

    @Override
    public void run() {
        for (Argument argument : movable) {
            argument.follow(this);
        }
        code.execute(Dnnl.STREAM, arguments);
    }

    @Override
    public String describe() {
        return implementation;
    }

    static final class Builder {
        private final Assembly assembly;
        private final primitive_desc_base description;
        private final List<Argument> arguments = new ArrayList<>();

        private Builder(Assembly assembly, primitive_desc_base description) {
            this.assembly = assembly;
            this.description = description;
        }

        Builder with(int index, TensorView tensor) {
            return with(index, Dnnl.desc(tensor), tensor.place());
        }

        /** Gives an argument whose layout is oneDNN's own. */
        Builder with(int index, memory.desc desc, Place place) {
            arguments.add(new Argument(index, new memory(desc, Dnnl.ENGINE, (Pointer) null), place));
            return this;
        }

        void add() {
            memory.desc scratchpad = description.scratchpad_desc();
            if (scratchpad.get_size() > 0) {
                with(dnnl.DNNL_ARG_SCRATCHPAD, scratchpad, assembly.reserve(scratchpad.get_size()));
            }
            assembly.add(new Primitive(new primitive(description.get()), implementation(description), arguments));
        }
    }

    /** One argument: memory of oneDNN that follows a place. */
    private static final class Argument {
        private final int index;
        private final memory memory;
        private final Place place;
        private final Address address = new Address();
        private long last = -1;

        Argument(int index, memory memory, Place place) {
            this.index = index;
            this.memory = memory;
            this.place = place;
        }

        void follow(Primitive owner) {
            long now = place.address();
            if (now == last) {
                return;
            }
            if (now == 0) {
                throw new IllegalStateException("argument " + index + " of " + owner.describe()
                        + " has no place in memory yet; call Operand.place before the kernel runs");
            }
            memory.set_data_handle(address.at(now));
            last = now;
        }
    }
}
