package dev.samediff.importer.fuzz;

import dev.samediff.importer.lowering.Operators;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import onnx.Onnx.ModelProto;
import org.nd4j.shade.protobuf.ByteString;
import org.nd4j.shade.protobuf.Descriptors.FieldDescriptor;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;
import org.nd4j.shade.protobuf.Message;

/** Changes of one field of the parsed message: the file stays well formed, but says something odd. */
final class MessageMutation {
    private static final long[] WHOLES = {
        0,
        1,
        -1,
        2,
        3,
        5,
        33,
        64,
        1000,
        1L << 16,
        1L << 22,
        (1L << 22) + 1,
        1L << 24,
        Integer.MAX_VALUE,
        1L << 31,
        1L << 32,
        1L << 40,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        Integer.MIN_VALUE,
        -2,
        -7,
        -1000
    };
    private static final float[] REALS = {
        0, -1, 1e38f, -1e38f, 1e-40f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY
    };
    private static final String[] TEXTS = {"", "x", "w", "a:b", "\0", "../x", "i,j->ij", "é" + "n".repeat(3000)};

    private final Random random;
    private final List<String> names = new ArrayList<>();

    MessageMutation(Random random) {
        this.random = random;
    }

    /** A field of a message somewhere in the model; index -1 for a single one. */
    private record Site(Message.Builder owner, FieldDescriptor field, int index) {
        Object value() {
            return index < 0 ? owner.getField(field) : owner.getRepeatedField(field, index);
        }

        void set(Object value) {
            if (index < 0) {
                owner.setField(field, value);
            } else {
                owner.setRepeatedField(field, index, value);
            }
        }
    }

    /** Returns the changed file; bytes that are no model any more come back as they are. */
    byte[] apply(byte[] bytes) {
        return apply(bytes, ModelProto.getDefaultInstance());
    }

    /** As {@link #apply(byte[])}, for bytes of another message. */
    byte[] apply(byte[] bytes, Message kind) {
        Message.Builder model;
        try {
            model = kind.newBuilderForType().mergeFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            return bytes;
        }
        List<Site> sites = new ArrayList<>();
        collect(model, sites, 0);
        if (sites.isEmpty()) {
            return bytes;
        }
        change(sites.get(random.nextInt(sites.size())));
        return model.build().toByteArray();
    }

    private void collect(Message.Builder owner, List<Site> sites, int depth) {
        for (FieldDescriptor field : List.copyOf(owner.getAllFields().keySet())) {
            if (field.isMapField()) { // has no builders
                continue;
            }
            int count = field.isRepeated() ? Math.min(64, owner.getRepeatedFieldCount(field)) : 1;
            for (int i = 0; i < count; i++) {
                Site site = new Site(owner, field, field.isRepeated() ? i : -1);
                sites.add(site);
                if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && depth < 12) {
                    Message.Builder child =
                            field.isRepeated() ? owner.getRepeatedFieldBuilder(field, i) : owner.getFieldBuilder(field);
                    collect(child, sites, depth + 1);
                } else if (field.getJavaType() == FieldDescriptor.JavaType.STRING) {
                    names.add((String) site.value());
                }
            }
        }
    }

    private void change(Site site) {
        if (site.field().isRepeated() && random.nextInt(3) == 0) {
            rearrange(site);
            return;
        }
        switch (site.field().getJavaType()) {
            case LONG -> site.set(whole());
            case INT -> site.set(random.nextBoolean() ? random.nextInt(24) : (int) whole());
            case FLOAT -> site.set(REALS[random.nextInt(REALS.length)]);
            case DOUBLE -> site.set((double) REALS[random.nextInt(REALS.length)]);
            case STRING -> site.set(text(site));
            case BYTE_STRING -> site.set(bytes((ByteString) site.value()));
            case MESSAGE -> {
                if (site.field().isRepeated()) {
                    rearrange(site);
                } else {
                    site.owner().clearField(site.field());
                }
            }
            default ->
                site.set(site.field()
                        .getEnumType()
                        .getValues()
                        .get(random.nextInt(
                                site.field().getEnumType().getValues().size())));
        }
    }

    private long whole() {
        return WHOLES[random.nextInt(WHOLES.length)];
    }

    /** Removes, repeats (many times, for ranks that are too high) or swaps elements. */
    private void rearrange(Site site) {
        Message.Builder owner = site.owner();
        FieldDescriptor field = site.field();
        List<Object> elements = new ArrayList<>();
        for (int i = 0; i < owner.getRepeatedFieldCount(field); i++) {
            elements.add(owner.getRepeatedField(field, i));
        }
        Object chosen = elements.get(site.index());
        switch (random.nextInt(4)) {
            case 0 -> elements.remove(site.index());
            case 1 -> elements.add(site.index(), chosen);
            case 2 -> {
                for (int i = 0; i < 40; i++) {
                    elements.add(chosen);
                }
            }
            default -> {
                int other = random.nextInt(elements.size());
                elements.set(site.index(), elements.get(other));
                elements.set(other, chosen);
            }
        }
        owner.clearField(field);
        elements.forEach(element -> owner.addRepeatedField(field, element));
    }

    private String text(Site site) {
        if (site.field().getName().equals("op_type") && random.nextInt(5) > 0) {
            List<String> operators = List.copyOf(Operators.names());
            String operator = operators.get(random.nextInt(operators.size()));
            return operator.substring(operator.indexOf(':') + 1);
        }
        if (site.field().getName().equals("value") && random.nextBoolean()) {
            return Long.toString(whole());
        }
        return random.nextInt(3) == 0 ? TEXTS[random.nextInt(TEXTS.length)] : names.get(random.nextInt(names.size()));
    }

    private ByteString bytes(ByteString old) {
        if (old.size() >= 8 && random.nextInt(2) == 0) {
            byte[] copy = old.toByteArray();
            int at = 8 * random.nextInt(copy.length / 8);
            ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).putLong(at, whole());
            return ByteString.copyFrom(copy);
        }
        return switch (random.nextInt(4)) {
            case 0 -> ByteString.EMPTY;
            case 1 -> old.substring(0, old.size() / 2);
            case 2 -> old.concat(ByteString.copyFrom(new byte[1 + random.nextInt(16)]));
            default -> ByteString.copyFromUtf8(TEXTS[random.nextInt(TEXTS.length)]);
        };
    }
}
