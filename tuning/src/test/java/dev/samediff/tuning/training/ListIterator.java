package dev.samediff.tuning.training;

import java.util.List;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.MultiDataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** Batches of a list. */
final class ListIterator implements MultiDataSetIterator {
    private static final long serialVersionUID = 1L;

    private final transient List<MultiDataSet> sets;
    private int position;

    ListIterator(List<MultiDataSet> sets) {
        this.sets = sets;
    }

    @Override
    public MultiDataSet next(int count) {
        return next();
    }

    @Override
    public void setPreProcessor(MultiDataSetPreProcessor processor) {
        throw new UnsupportedOperationException("the data sets of this test are given as they are; " + processor);
    }

    @Override
    public MultiDataSetPreProcessor getPreProcessor() {
        return null;
    }

    @Override
    public boolean resetSupported() {
        return true;
    }

    @Override
    public boolean asyncSupported() {
        return false;
    }

    @Override
    public void reset() {
        position = 0;
    }

    @Override
    public boolean hasNext() {
        return position < sets.size();
    }

    @Override
    public MultiDataSet next() {
        return sets.get(position++);
    }
}
