// Measures OpenBLAS's sgemm. Each line of input asks for one product:
//
//	transpose a, transpose b (0 or 1), m, n, k, seconds
//
// and is answered by a line with the median of its GFLOP/s.
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { rowMajor = 101, noTrans = 111, trans = 112 };

void cblas_sgemm(int order, int transA, int transB, int m, int n, int k, float alpha, const float *a, int lda,
                 const float *b, int ldb, float beta, float *c, int ldc);

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

// numbers returns n small numbers, on huge pages where the system has them.
static float *numbers(size_t n) {
	const size_t page = 2 << 20;
	size_t size = (n * sizeof(float) + page - 1) / page * page;
	float *x = aligned_alloc(page, size);
	if (!x) exit(1);
#ifdef MADV_HUGEPAGE
	madvise(x, size, MADV_HUGEPAGE);
#endif
	for (size_t i = 0; i < n; i++) x[i] = (float)(i % 31) - 15;
	return x;
}

static int ascending(const void *x, const void *y) {
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

int main(void) {
	int ta, tb, m, n, k;
	double seconds;
	while (scanf("%d %d %d %d %d %lf", &ta, &tb, &m, &n, &k, &seconds) == 6) {
		float *a = numbers((size_t)m * k), *b = numbers((size_t)k * n), *c = numbers((size_t)m * n);
		enum { most = 1 << 16 };
		static double rates[most];
		int count = -1; // the first product warms up
		for (double begin = 0; count < 1 || (count < most && now() - begin < seconds); count++) {
			double before = now();
			cblas_sgemm(rowMajor, ta ? trans : noTrans, tb ? trans : noTrans, m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, c, n);
			double after = now();
			if (count < 0)
				begin = after;
			else
				rates[count] = 2e-9 * m * n * k / (after - before);
		}
		qsort(rates, count, sizeof *rates, ascending);
		printf("%f\n", (rates[(count - 1) / 2] + rates[count / 2]) / 2);
		fflush(stdout);
		free(a);
		free(b);
		free(c);
	}
	return 0;
}
