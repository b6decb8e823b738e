package dev.samediff.adapters.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** Blocks of random sizes that live from a random kernel to another. */
class ArenaTest {
    private static final DataType[] TYPES = {DataType.FLOAT, DataType.BFLOAT16, DataType.LONG, DataType.BOOL};
    private static final int STEPS = 30;

    private final PaperTarget target = new PaperTarget();

    private static Block block(DataType type, long elements, int first, int last) {
        Block block = Block.ofArena(type, elements);
        block.touch(first);
        block.touch(last);
        return block;
    }

    private static List<Block> random(Random random) {
        List<Block> blocks = new ArrayList<>();
        int count = 1 + random.nextInt(40);
        for (int i = 0; i < count; i++) {
            DataType type = TYPES[random.nextInt(TYPES.length)];
            // Some of equal size, some just below and above multiples of the alignment, some of one element.
            long elements = switch (random.nextInt(4)) {
                case 0 -> 1;
                case 1 -> 64;
                case 2 -> PaperTarget.ALIGNMENT * (1 + random.nextInt(3)) / type.width() + random.nextInt(3) - 1;
                default -> 1 + random.nextInt(5000);
            };
            int first = random.nextInt(STEPS);
            blocks.add(block(type, elements, first, Math.min(STEPS, first + random.nextInt(12))));
        }
        return blocks;
    }

    private static long aligned(long bytes) {
        return (bytes + PaperTarget.ALIGNMENT - 1) / PaperTarget.ALIGNMENT * PaperTarget.ALIGNMENT;
    }

    private static long sum(List<Block> blocks) {
        return blocks.stream().mapToLong(block -> aligned(block.bytes)).sum();
    }

    /** The memory of all blocks that live at once, where it is largest. */
    private static long most(List<Block> blocks) {
        return IntStream.rangeClosed(0, STEPS)
                .mapToLong(step -> sum(blocks.stream()
                        .filter(block -> block.first <= step && step <= block.last)
                        .toList()))
                .max()
                .orElseThrow();
    }

    private long place(List<Block> blocks) {
        try (ExecutionContext context = target.open(Set.of())) {
            return Arena.place(blocks, context);
        }
    }

    private static boolean liveTogether(Block a, Block b) {
        return a.first <= b.last && b.first <= a.last;
    }

    @Test
    void blocks_that_live_at_the_same_time_never_share_memory() {
        Random random = new Random(1);
        for (int trial = 0; trial < 500; trial++) {
            List<Block> blocks = random(random);
            place(blocks);
            for (Block a : blocks) {
                for (Block b : blocks) {
                    boolean apart = a.position + a.bytes <= b.position || b.position + b.bytes <= a.position;
                    assertThat(a == b || apart || !liveTogether(a, b))
                            .as("%s..%s and %s..%s", a.position, a.bytes, b.position, b.bytes)
                            .isTrue();
                }
            }
        }
    }

    @Test
    void the_whole_holds_every_block_and_is_no_larger_than_all_of_them_together() {
        Random random = new Random(2);
        for (int trial = 0; trial < 500; trial++) {
            List<Block> blocks = random(random);
            long bytes = place(blocks);
            assertThat(blocks).allMatch(block -> block.position >= 0 && block.position + block.bytes <= bytes);
            assertThat(bytes).isBetween(most(blocks), sum(blocks));
            assertThat(target.calls).contains("allocate " + bytes);
        }
    }

    @Test
    void every_block_is_aligned_and_its_operands_follow_it() {
        Random random = new Random(3);
        for (int trial = 0; trial < 500; trial++) {
            List<Block> blocks = random(random);
            List<Placement> placements = blocks.stream()
                    .map(block -> Placement.dense(block, block.type, new long[] {block.bytes / block.type.width()}))
                    .toList();
            place(blocks);
            for (Placement placement : placements) {
                Block block = placement.block();
                assertThat(block.position % PaperTarget.ALIGNMENT).isZero();
                assertThat(placement.operand().address()).isEqualTo(PaperTarget.ALIGNMENT + block.position);
            }
        }
    }

    @Test
    void blocks_of_different_times_share_memory() {
        List<Block> blocks = new ArrayList<>();
        for (int step = 0; step < 10; step++) {
            blocks.add(block(DataType.FLOAT, 1000 + step, 2 * step, 2 * step + 1));
        }
        assertThat(place(blocks)).isEqualTo(aligned(4 * 1009));
    }

    @Test
    void a_block_goes_between_two_others_if_it_fits_exactly() {
        Block low = block(DataType.FLOAT, 4 * 64, 0, 1);
        Block high = block(DataType.FLOAT, 3 * 64, 0, 9);
        Block top = block(DataType.FLOAT, 2 * 64, 0, 9);
        Block first = block(DataType.FLOAT, 64, 2, 3);
        Block second = block(DataType.FLOAT, 64, 2, 3);
        assertThat(place(List.of(second, top, first, high, low))).isEqualTo(9 * PaperTarget.ALIGNMENT);
        assertThat(List.of(first.position, second.position)).containsExactlyInAnyOrder(0L, PaperTarget.ALIGNMENT);
    }

    @Test
    void nothing_is_allocated_for_no_blocks() {
        assertThat(place(List.of())).isZero();
        assertThat(target.calls).noneMatch(call -> call.startsWith("allocate"));
    }
}
