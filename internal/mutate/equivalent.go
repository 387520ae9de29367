package main

// equivalents says why mutants that no test catches are as good as the original. They are named by function, expression and
// operator. Where an expression occurs several times in a function, the reason stands for those that are not caught.
var equivalents = map[[3]string]string{
	{"sampler/beamstep.go search.finished", "g.found[s.width-1].Score >= s.attainable(best, step, s.n)", ">"}: "a hypothesis of the same score does not take the place of one found",

	{"sampler/beamstep.go search.drop", "step > 1 || s.users == 0", "&&"}: "it decides only which memory is used again",

	{"sampler/cutoff.go Distribution.PLess", "lo < len(d.weights)", "<="}: noBlock,

	{"sampler/cutoff.go Distribution.TopNSigma", "sigma <= math.MaxFloat64", "<"}: "a deviation that is a number is at most half of the largest number",
	{"sampler/cutoff.go Distribution.TopNSigma", "len(d.edits) > 0", ">="}:        "without edits all of the list is at least least already",

	{"sampler/cutoff.go Distribution.sumOf", "lo < n", "<="}: noBlock,

	{"sampler/distribution.go begin", "len(row) > math.MaxInt32", ">="}: "differs for a row of 2^31-1 logits alone, for which no test has the memory",

	{"sampler/distribution.go Distribution.weighBlock", "int(d.edits[i].id) >= hi", ">"}: "sum adds up in the order in which exps has",

	{"sampler/distribution.go Distribution.drawOnce", "n <= block", "<"}: isSpeed,

	{"sampler/dry.go Distribution.DRY", "o.Multiplier == 0 || limit < o.AllowedLength", "&&"}: goesOn,
	{"sampler/dry.go Distribution.DRY", "k < right", "<="}:                                    "the overlap of a window that ends here is 0",
	{"sampler/dry.go Distribution.DRY", "k+m > right", ">="}:                                  isSpeed,
	{"sampler/dry.go Distribution.DRY", "k+m > right", "<="}:                                  isSpeed,
	{"sampler/dry.go Distribution.DRY", "o.Base > 1.000001", ">="}:                            "there the exponent is bounded by more than a text has tokens",

	{"sampler/dry.go DRY.sinceBreaker", "len(b) > longest", ">="}: "of breakers of one length only the length counts",

	{"sampler/edit.go Distribution.logit", "d.logits[i] > math.Inf(-1)", ">="}: "a logit of -Inf stays so whatever is added, and settle drops it",

	{"sampler/edit.go Distribution.set", "x < d.top", "<="}:              "findBest finds the same again",
	{"sampler/edit.go Distribution.set", "token < d.best", "<="}:         "the best token is the other case",
	{"sampler/edit.go Distribution.set", "len(d.slots) < d.vocab", "<="}: moreRoom,

	{"sampler/filter.go Distribution.TopK", "k >= d.vocab", ">"}:    keepsAll,
	{"sampler/filter.go Distribution.TopK", "k >= len(d.ids)", ">"}: keepsAll,
	{"sampler/filter.go Distribution.TopK", "max(k, 64)", "min"}:    isSpeed,
	{"sampler/filter.go Distribution.TopK", "len(d.ids) > k", ">="}: keepsAll,

	{"sampler/filter.go Distribution.TopKTies", "k >= d.vocab", ">"}:    keepsAll,
	{"sampler/filter.go Distribution.TopKTies", "k >= len(d.ids)", ">"}: keepsAll,

	{"sampler/filter.go Distribution.listFrom", "max(d.top+gap-slack, -math.MaxFloat32)", "min"}: "a longer list has what is looked for too",

	{"sampler/history.go History.In", "scope.Last < len(text)", "<="}: "the last of as many as there are are all",

	{"sampler/mirostat.go Distribution.zipfCount", "k < float64(d.vocab)", "<="}: keepsAll,

	{"sampler/nucleus.go Distribution.listNucleus", "d.vocab < 2*sampled", "<="}: isSpeed,
	{"sampler/nucleus.go Distribution.listNucleus", "d.total < need+off", "<="}:  "either way the list has the nucleus",

	{"sampler/nucleus.go Distribution.cut", "math.IsInf(d.floor, 0) || !(head < need-off)", "&&"}: isChecked,
	{"sampler/nucleus.go Distribution.cut", "head < need-off", "<="}:                              isChecked,
	{"sampler/nucleus.go Distribution.cut", "head < need-off", ">="}:                              isChecked,

	{"sampler/nucleus.go Distribution.cutRow", "!kernel.CanSelect() || d.row == nil || d.weighed", "&&"}: isChecked,
	{"sampler/nucleus.go Distribution.cutRow", "!kernel.CanSelect() || d.row == nil", "&&"}:              isChecked,
	{"sampler/nucleus.go Distribution.cutRow", "d.row == nil", "!="}:                                     isChecked,
	{"sampler/nucleus.go Distribution.cutRow", "len(d.edits) > 0", ">="}:                                 isSpeed,
	{"sampler/nucleus.go Distribution.cutRow", "d.vocab >= 2*sampled", ">"}:                              isSpeed,
	{"sampler/nucleus.go Distribution.cutRow", "d.vocab >= 2*sampled", "<"}:                              isSpeed,

	{"sampler/nucleus.go Distribution.cut", "n <= long", "<"}: isSpeed,
	{"sampler/nucleus.go Distribution.cut", "n <= long", ">"}: isSpeed,

	{"sampler/nucleus.go narrowCut", "nLo-nHi <= few", "<"}:          isSpeed,
	{"sampler/nucleus.go narrowCut", "nLo-nHi <= few", ">"}:          isSpeed,
	{"sampler/nucleus.go narrowCut", "run > 1", ">="}:                isSpeed,
	{"sampler/nucleus.go narrowCut", "run > 1", "<="}:                isSpeed,
	{"sampler/nucleus.go narrowCut", "run < -1", "<="}:               isSpeed,
	{"sampler/nucleus.go narrowCut", "run < -1", ">="}:               isSpeed,
	{"sampler/nucleus.go narrowCut", "next > lo && next < hi", "||"}: isChecked,
	{"sampler/nucleus.go narrowCut", "next > lo", ">="}:              isChecked,
	{"sampler/nucleus.go narrowCut", "next > lo", "<="}:              isChecked,
	{"sampler/nucleus.go narrowCut", "next < hi", ">="}:              isChecked,
	{"sampler/nucleus.go narrowCut", "next < hi", "<="}:              isChecked,
	{"sampler/nucleus.go narrowCut", "s < need", ">="}:               isChecked,
	{"sampler/nucleus.go narrowCut", "s < need", "<="}:               isChecked,
	{"sampler/nucleus.go narrowCut", "min(run, 0)", "max"}:           isSpeed,
	{"sampler/nucleus.go narrowCut", "max(run, 0)", "min"}:           isSpeed,

	{"sampler/nucleus.go crossingLogit", "x[j] > x[j-1]", ">="}: "the order of equal logits decides nothing",
	{"sampler/nucleus.go crossingLogit", "need > 0", ">="}:      isChecked,
	{"sampler/nucleus.go crossingLogit", "need > 0", "<="}:      isChecked,
	{"sampler/nucleus.go crossingLogit", "last > off", ">="}:    isBound,
	{"sampler/nucleus.go crossingLogit", "-need > off", ">="}:   isBound,

	{"sampler/topk.go Distribution.topOfRow", "k > d.vocab/8", ">="}:         isSpeed,
	{"sampler/topk.go Distribution.topOfRow", "k > d.vocab/8", "<="}:         isSpeed,
	{"sampler/topk.go cutOf", "nLo <= k", "<"}:                               goesOn,
	{"sampler/topk.go cutOf", "max(run, 0)", "min"}:                          isSpeed,
	{"sampler/topk.go cutOf", "min(run, 0)", "max"}:                          isSpeed,
	{"sampler/topk.go cutOf", "run > 1", ">="}:                               isSpeed,
	{"sampler/topk.go cutOf", "run > 1", "<="}:                               isSpeed,
	{"sampler/topk.go cutOf", "run < -1", "<="}:                              isSpeed,
	{"sampler/topk.go cutOf", "run < -1", ">="}:                              isSpeed,
	{"sampler/topk.go cutOf", "i%8 == 7 || !(next > lo && next < hi)", "&&"}: isSpeed,
	{"sampler/topk.go cutOf", "i%8 == 7", "!="}:                              isSpeed,

	{"sampler/nucleus.go Distribution.keepAbove", "limit >= d.floor", ">"}:        isSpeed,
	{"sampler/nucleus.go Distribution.keepAbove", "len(d.ids) > d.vocab/8", ">="}: isSpeed,
	{"sampler/nucleus.go Distribution.keepAbove", "len(d.ids) > d.vocab/8", "<="}: isSpeed,

	{"sampler/nucleus.go Distribution.cross", "off == 0 || need > off && last.weight-need > off", "&&"}: "the exact total, which is taken then, gives the same token",
	{"sampler/nucleus.go Distribution.cross", "need > off", ">="}:                                       isBound,
	{"sampler/nucleus.go Distribution.cross", "last.weight-need > off", ">="}:                           isBound,

	{"sampler/nucleus.go Distribution.guess", "min(max(int(math.Float64bits(v)>>50)-lowest, 0), buckets)", "max"}:                     isGuess,
	{"sampler/nucleus.go Distribution.guess", "seen < few", "<="}:                                                                     isGuess,
	{"sampler/nucleus.go Distribution.guess", "at < most", "<="}:                                                                      isGuess,
	{"sampler/nucleus.go Distribution.guess", "d.hist[at] <= left", "<"}:                                                              isGuess,
	{"sampler/nucleus.go Distribution.guess", "d.hist[at] <= left", ">"}:                                                              isGuess,
	{"sampler/nucleus.go Distribution.guess", "max(math.Float64frombits(uint64(at+lowest)<<50), math.SmallestNonzeroFloat64)", "min"}: isGuess,
	{"sampler/nucleus.go Distribution.guess", "heavy > sampled/8", ">="}:                                                              isGuess,
	{"sampler/nucleus.go Distribution.guess", "heavy > sampled/8", "<="}:                                                              isGuess,

	{"sampler/nucleus.go lightest", "max((1-p)*total/float64(n)*(1-1e-9), math.SmallestNonzeroFloat64)", "min"}: "a longer list has what is looked for too",

	{"sampler/nucleus.go Distribution.narrow", "len(d.ids) > 2*buckets", ">="}: isSpeed,
	{"sampler/nucleus.go Distribution.narrow", "x < low", "<="}:                "an equal number is the same",

	{"sampler/penalty.go Distribution.repetition", "x > 0", ">="}: isZero,

	{"sampler/penalty.go Distribution.tally", "len(d.counts) < d.vocab", "<="}: moreRoom,

	{"sampler/rank.go crossingAt", "len(c) > 8", ">="}: "sorting and selecting find the same, but for the rounding of sums",

	{"sampler/report.go Distribution.Top", "n <= 0", "<"}: "the first 0 of the ranking are none",

	{"sampler/report.go Distribution.head", "x <= limit", "<"}:   "what equals the limit loses against the tokens already there, whose ids are lower",
	{"sampler/report.go Distribution.head", "max(n, 64)", "min"}: isSpeed,

	{"sampler/rough.go Distribution.roughUp", "len(d.edits) > 0", ">="}:                 isRough,
	{"sampler/rough.go Distribution.roughUp", "d.vocab < 4*block", "<="}:                isRough,
	{"sampler/rough.go Distribution.roughUp", "d.vocab < 4*block", ">="}:                isRough,
	{"sampler/rough.go Distribution.roughUp", "float64(float32(d.top)) != d.top", "=="}: isRough,
	{"sampler/rough.go Distribution.roughUp", "lo < d.vocab", "<="}:                     noBlock,

	{"sampler/rough.go Distribution.drawRough", "acc > target", ">="}:      isBound,
	{"sampler/rough.go Distribution.drawRough", "acc > target", "<="}:      isRough,
	{"sampler/rough.go Distribution.drawRough", "target-last > off", ">="}: isBound,
	{"sampler/rough.go Distribution.drawRough", "acc-target > off", ">="}:  isBound,

	{"sampler/shape.go Distribution.Entropy", "lo < len(d.weights)", "<="}: noBlock,
	{"sampler/shape.go Distribution.Entropy", "len(d.edits) > 0", ">="}:    "without edits at returns what is in row",

	{"sampler/shape.go Distribution.keepIf", "best || int(id) == d.best", "&&"}: goesOn,

	{"sampler/softmax.go Softmax", "lo < len(logits)", "<="}: noBlock,

	{"sampler/softmax.go logSumExp", "lo < len(logits)", "<="}: noBlock,

	{"sampler/speculativeround.go round.propose", "len(r.draft) < k", "<="}: moreRoom,

	{"sampler/step.go AtLeast.Apply", "d.Len() >= len(head)", ">"}: "as many as head has are those of head",

	{"sampler/stop.go StopStrings.Write", "len(stop) > len(s.Strings[longest])", ">="}: "two stop strings of one length that end here are equal",

	{"sampler/stop.go StopStrings.step", "n < len(stop)", "<="}: "n is the length for the empty string alone, which stops a text before its first byte",

	{"sampler/tensor.go rowsOf", "rank > 1", ">="}: "of one row the offset is 0",

	{"sampler/topk.go Distribution.topOfRow", "d.vocab < 2*sampled", "<="}: isSpeed,
	{"sampler/topk.go Distribution.topOfRow", "len(d.ids) < k", "<="}:      isSpeed,
	{"sampler/topk.go Distribution.topOfRow", "over > 0", ">="}:            goesOn,

	{"sampler/topk.go Distribution.guessTop", "rank > most", ">="}:           isGuess,
	{"sampler/topk.go Distribution.guessTop", "first[at-1] < part[j]", "<="}: isGuess,
	{"sampler/topk.go Distribution.guessTop", "first[at-1] < part[j]", ">="}: isGuess,
	{"sampler/topk.go Distribution.guessTop", "n == rank", "!="}:             isGuess,

	{"sampler/topk.go cutOf", "n > k", ">="}:                     "n is not k here",
	{"sampler/topk.go cutOf", "min(next, x[i*len(x)/8])", "max"}: isSpeed,
	{"sampler/topk.go cutOf", "next > lo && next < hi", "||"}:    isSpeed,
	{"sampler/topk.go cutOf", "next > lo", ">="}:                 isSpeed,
	{"sampler/topk.go cutOf", "next > lo", "<="}:                 isSpeed,
	{"sampler/topk.go cutOf", "next < hi", "<="}:                 isSpeed,
	{"sampler/topk.go cutOf", "next < hi", ">="}:                 isSpeed,

	{"sampler/topk.go ordinal", "x < 0", "<="}: isZero,

	{"sampler/topk.go fromOrdinal", "n < 0", "<="}: "0 and -0 are equal",

	{"sampler/typical.go Distribution.typical", "r.MinKeep > 1", ">="}: oneKept,

	{"sampler/xtc.go Distribution.xtc", "minKeep > 1", ">="}: oneKept,

	{"internal/op/linearcrossentropy.go head.run", "at < h.n", "<="}: noRow,

	{"internal/kernel/binary.go chances", "x < 0", "<="}: sameEdge,

	{"internal/kernel/binary.go expm1", "x > 0.5 || x < -0.5", "&&"}: "both functions keep all digits there",
	{"internal/kernel/binary.go expm1", "x > 0.5", ">="}:             "both functions keep all digits there",
	{"internal/kernel/binary.go expm1", "x < -0.5", "<="}:            "both functions keep all digits there",

	{"internal/kernel/binary.go log1p", "x > 0.5 || x < -0.5", "&&"}: "both functions keep all digits there",
	{"internal/kernel/binary.go log1p", "x > 0.5", ">="}:             "both functions keep all digits there",
	{"internal/kernel/binary.go log1p", "x < -0.5", "<="}:            "both functions keep all digits there",

	{"internal/kernel/divergence.go pair.undefined", "q != q || p != p", "&&"}: "a NaN in either row makes the sum NaN too",

	{"internal/kernel/divergence.go Divergence.toMixture", "diff <= 0", "<"}: sameEdge,

	{"internal/kernel/exp.go exp32", "x > 88.722839", ">="}:   sameEdge,
	{"internal/kernel/exp.go exp32", "x < -103.972084", "<="}: sameEdge,
	{"internal/kernel/exp.go exp32", "k > -126", ">="}:        "two factors give the same as one",
	{"internal/kernel/exp.go exp32", "k < 127", "<="}:         "two factors give the same as one",

	{"internal/kernel/exp_rows.go expSumPortable", "i+4 <= len(x)", "<"}: "the last four are added one by one, which is the same but for rounding",

	{"internal/kernel/preference.go Ratio.Loss", "advantage > 0", ">="}: isZero,
	{"internal/kernel/preference.go Ratio.Loss", "advantage < 0", "<="}: isZero,

	{"internal/kernel/sampling.go Above", "i+4 <= len(x)", "<"}: isSpeed,
	{"internal/kernel/sampling.go Above", "v[0] <= limit", "<"}: isSpeed,
	{"internal/kernel/sampling.go Above", "v[1] <= limit", "<"}: isSpeed,
	{"internal/kernel/sampling.go Above", "v[2] <= limit", "<"}: isSpeed,
	{"internal/kernel/sampling.go Above", "v[3] <= limit", "<"}: isSpeed,

	{"internal/kernel/sampling.go listFrom", "lo < len(x)", "<="}: "one more part is empty, and has nothing to list",

	{"internal/kernel/sampling.go growBy", "cap(list)-len(list) >= n", ">"}: moreRoom,

	{"internal/kernel/sampling.go newRough", "c >= 0x1p-40", ">"}:                isRough,
	{"internal/kernel/sampling.go newRough", "c <= 0x1p20", "<"}:                 isRough,
	{"internal/kernel/sampling.go newRough", "math.Abs(limit)*c <= 0x1p20", "<"}: isRough,
}

// Reasons that several mutants share.
const (
	noBlock   = "one more block is empty, and adds 0"
	goesOn    = "the case saves work alone: going on changes nothing"
	keepsAll  = "to keep as many as there are keeps all"
	isSpeed   = "it decides how fast the result is found, not what it is"
	isGuess   = "it is part of a guess, and however wrong that is the result is the same"
	isChecked = "it steers a search whose result is checked at the end, and found in another way if it does not hold"
	isBound   = "the bound is more than the error can be, so that its edge decides nothing"
	isRough   = "rough sums are not taken then, and exact ones give the same token"
	isZero    = "both cases give 0 for 0"
	oneKept   = "at least one token is kept anyway"
	moreRoom  = "it makes room for one more, or for none"
	noRow     = "a pass over no rows changes nothing"
	sameEdge  = "both cases give the same at the edge between them"
)
