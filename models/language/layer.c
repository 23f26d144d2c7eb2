/* What a decoder layer does between its matrix products, token by token.
 *
 * Norms, rotary positions and attention of tens of tokens: as single tensor operations each of them
 * costs more for its start than for its arithmetic. Nothing here depends on the tokens beside one,
 * so a row's bits are the same in every batch. Reductions run over 16 lanes, whatever the
 * processor's vectors hold; models/language/layer.py loads the build that suits it.
 *
 * Rows are float32 or, where `half` says so, bfloat16, rounded to nearest even. Sizes of rows are
 * multiples of 16.
 */

#include <stdint.h>

typedef float lanes __attribute__((vector_size(64)));
typedef int32_t ints __attribute__((vector_size(64)));
typedef uint32_t words __attribute__((vector_size(64)));
typedef uint16_t halves __attribute__((vector_size(32)));
typedef float four __attribute__((vector_size(16)));
typedef float eight __attribute__((vector_size(32)));

#define INLINE static inline __attribute__((always_inline))
#define WIDTH 16

/* Keys and values of a context, (layers, 2, H, room, D), that tokens start ... stop - 1 continue. */
typedef struct {
    const float *store;
    int64_t length, room, start, stop;
} Span;

/* A batch of n tokens; H key-value heads, G query heads for each, D head size. */
typedef struct {
    int64_t tokens, heads, groups, size, layers;
    int64_t length;       /* rows of the store for a sentence */
    const int64_t *slots; /* (n): a token's row in the store */
    float *store;         /* (sentences * length, layers, 2, H, D) */
    const Span *spans;
    int64_t span_count;
    float *queries; /* (n, H * G, D), scratch */
    float *scores;  /* (G, stride), scratch */
    int64_t stride; /* a multiple of 16, at least the longest context and length */
} Batch;

INLINE lanes load(const float *at) {
    lanes x;
    __builtin_memcpy(&x, at, sizeof x);
    return x;
}

INLINE void save(float *at, lanes x) { __builtin_memcpy(at, &x, sizeof x); }

INLINE lanes every(float x) { return (lanes){} + x; }

INLINE lanes take(const void *from, int64_t i, int half) {
    if (!half) return load((const float *)from + i);
    halves x;
    __builtin_memcpy(&x, (const uint16_t *)from + i, sizeof x);
    return (lanes)(__builtin_convertvector(x, words) << 16);
}

INLINE void put(void *to, int64_t i, lanes x, int half) {
    if (!half) {
        save((float *)to + i, x);
        return;
    }
    words bits = (words)x;
    words rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    words number = (words)(x == x);
    halves y = __builtin_convertvector((rounded & number) | (0x7fc0 & ~number), halves);
    __builtin_memcpy((uint16_t *)to + i, &y, sizeof y);
}

INLINE four folded(lanes x) {
    eight low = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7);
    eight high = __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
    eight sum = low + high;
    return __builtin_shufflevector(sum, sum, 0, 1, 2, 3) + __builtin_shufflevector(sum, sum, 4, 5, 6, 7);
}

INLINE float total(lanes x) {
    four y = folded(x);
    return (y[0] + y[2]) + (y[1] + y[3]);
}

/* e^x for x <= 0: 2^n times a polynomial in the rest (Cephes, expf); 0 below -87. */
INLINE lanes exponential(lanes x) {
    ints small = x < every(-87.0f);
    x = (lanes)((ints)x & ~small);
    lanes n = x * 1.44269504f - 0.5f;
    ints power = __builtin_convertvector(n, ints);
    n = __builtin_convertvector(power, lanes);
    lanes rest = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    lanes y = every(1.9875691500e-4f);
    y = y * rest + 1.3981999507e-3f;
    y = y * rest + 8.3334519073e-3f;
    y = y * rest + 4.1665795894e-2f;
    y = y * rest + 1.6666665459e-1f;
    y = y * rest + 5.0000001201e-1f;
    y = y * rest * rest + rest + 1.0f;
    lanes scaled = (lanes)((ints)y + (power << 23));
    return (lanes)((ints)scaled & ~small);
}

/* 1 / sqrt(mean of squares + eps). */
INLINE float inverse(float squares, int64_t size, float eps) {
    return 1.0f / __builtin_sqrtf(squares / (float)size + eps);
}

INLINE float squares(const void *x, int64_t size, int half) {
    lanes sum = {}, next = {};
    int64_t i = 0;
    for (; i + 2 * WIDTH <= size; i += 2 * WIDTH) {
        lanes a = take(x, i, half), b = take(x, i + WIDTH, half);
        sum += a * a;
        next += b * b;
    }
    if (i < size) {
        lanes a = take(x, i, half);
        sum += a * a;
    }
    return total(sum + next);
}

INLINE const void *row(const void *x, int64_t i, int half) { return (const char *)x + (half ? 2 : 4) * i; }

INLINE void residual(int64_t tokens, int64_t size, float *x, const void *y, const float *after, const float *next,
                     float eps, void *out, const int half) {
    for (int64_t t = 0; t < tokens; t++, x += size) {
        if (y) {
            const void *added = row(y, t * size, half);
            float factor = after ? inverse(squares(added, size, half), size, eps) : 1;
            for (int64_t i = 0; i < size; i += WIDTH) {
                lanes z = take(added, i, half);
                save(x + i, load(x + i) + (after ? z * factor * load(after + i) : z));
            }
        }
        float factor = inverse(squares(x, size, 0), size, eps);
        for (int64_t i = 0; i < size; i += WIDTH) put(out, t * size + i, load(x + i) * factor * load(next + i), half);
    }
}

/* x += after ? norm(y) * after : y, unless y is null; then out = norm(x) * next. x is (n, size) in float32. */
void chainwright_residual(int64_t tokens, int64_t size, float *x, const void *y, const float *after,
                          const float *next, float eps, void *out, int half) {
    if (half)
        residual(tokens, size, x, y, after, next, eps, out, 1);
    else
        residual(tokens, size, x, y, after, next, eps, out, 0);
}

/* One head, normed where asked, scaled and turned: pairs (2i, 2i + 1) by cosines c, c and sines -s, s. */
INLINE void turned(const void *from, int64_t at, int half, int64_t size, int normed, float eps, const float *scale,
                   const float *cosines, const float *sines, float *to) {
    float factor = normed ? inverse(squares(row(from, at, half), size, half), size, eps) : 1;
    for (int64_t i = 0; i < size; i += WIDTH) {
        lanes x = take(from, at + i, half) * factor * load(scale + i);
        lanes swapped = __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
        save(to + i, x * load(cosines + i) + swapped * load(sines + i));
    }
}

/* scores[g][j] = q_g . k_j for `many` queries and `few` keys. */
INLINE void products(const float *q, const float *k, int64_t step, int64_t size, float *scores, int64_t stride,
                     const int many, const int few) {
    lanes sums[4][2] = {};
    for (int64_t i = 0; i < size; i += WIDTH) {
        lanes keys[2];
        for (int j = 0; j < few; j++) keys[j] = load(k + j * step + i);
        for (int g = 0; g < many; g++) {
            lanes query = load(q + g * size + i);
            for (int j = 0; j < few; j++) sums[g][j] += query * keys[j];
        }
    }
    for (int j = 0; j < few; j++)
        for (int g = 0; g < many; g++) scores[g * stride + j] = total(sums[g][j]);
}

INLINE void all_products(const float *q, const float *k, int64_t step, int64_t count, int64_t size, float *scores,
                         int64_t stride, const int many) {
    int64_t j = 0;
    for (; j + 2 <= count; j += 2) products(q, k + j * step, step, size, scores + j, stride, many, 2);
    if (j < count) products(q, k + j * step, step, size, scores + j, stride, many, 1);
}

INLINE void mix(const float *v, int64_t step, int64_t count, const float *weights, int64_t stride, lanes sums[4][2],
                const int many, const int wide) {
    for (int64_t j = 0; j < count; j++) {
        lanes values[2];
        for (int i = 0; i < wide; i++) values[i] = load(v + j * step + i * WIDTH);
        for (int g = 0; g < many; g++)
            for (int i = 0; i < wide; i++) sums[g][i] += weights[g * stride + j] * values[i];
    }
}

/* softmax over n scores, not yet divided by the sum, which is returned. */
INLINE float softmax(float *scores, int64_t n, float softcap) {
    int64_t whole = (n + WIDTH - 1) / WIDTH * WIDTH;
    for (int64_t j = n; j < whole; j++) scores[j] = -__builtin_inff();
    if (softcap > 0)
        for (int64_t j = 0; j < n; j += WIDTH) { /* c tanh(s / c), by e to minus twice its size */
            lanes s = load(scores + j) / softcap;
            ints negative = s < 0;
            lanes size = (lanes)((ints)s & 0x7fffffff);
            lanes small = exponential(-2.0f * size);
            lanes tanh = (1.0f - small) / (1.0f + small);
            tanh = (lanes)((ints)tanh | (negative & ((ints){} + INT32_MIN)));
            save(scores + j, tanh * softcap);
        }
    if (softcap > 0)
        for (int64_t j = n; j < whole; j++) scores[j] = -__builtin_inff();
    lanes most = load(scores);
    for (int64_t j = WIDTH; j < whole; j += WIDTH) {
        lanes s = load(scores + j);
        ints more = s > most;
        most = (lanes)(((ints)s & more) | ((ints)most & ~more));
    }
    float top = most[0];
    for (int i = 1; i < WIDTH; i++) top = most[i] > top ? most[i] : top;
    lanes sum = {};
    for (int64_t j = 0; j < whole; j += WIDTH) {
        lanes e = exponential(load(scores + j) - top);
        save(scores + j, e);
        sum += e;
    }
    return total(sum);
}

/* One token and one key-value head: `many` queries of its group. */
INLINE void attend_some(const float *q, int64_t size, const float *context_keys, const float *context_values,
                        int64_t context, const float *keys, const float *values, int64_t step, int64_t own,
                        float softcap, float *scores, int64_t stride, void *out, int64_t at, const int many,
                        const int half) {
    all_products(q, context_keys, size, context, size, scores, stride, many);
    all_products(q, keys, step, own, size, scores + context, stride, many);
    float shares[4];
    for (int g = 0; g < many; g++) shares[g] = 1.0f / softmax(scores + g * stride, context + own, softcap);
    for (int64_t i = 0; i < size; i += 2 * WIDTH) {
        lanes sums[4][2] = {};
        int wide = i + 2 * WIDTH <= size ? 2 : 1;
        if (wide == 2) {
            mix(context_values + i, size, context, scores, stride, sums, many, 2);
            mix(values + i, step, own, scores + context, stride, sums, many, 2);
        } else {
            mix(context_values + i, size, context, scores, stride, sums, many, 1);
            mix(values + i, step, own, scores + context, stride, sums, many, 1);
        }
        for (int g = 0; g < many; g++)
            for (int w = 0; w < wide; w++) put(out, at + g * size + i + w * WIDTH, sums[g][w] * shares[g], half);
    }
}

INLINE void attend(const Batch *b, int64_t layer, const void *heads, const float *scale, int normed, float eps,
                   const float *cosines, const float *sines, int64_t window, float softcap, void *out,
                   const int half) {
    const int64_t size = b->size, queries = b->heads * b->groups, kept = b->heads * size;
    const int64_t step = b->layers * 2 * kept;
    float *store = b->store + layer * 2 * kept;
    for (int64_t t = 0; t < b->tokens; t++) {
        int64_t at = t * (queries + 2 * b->heads) * size;
        for (int64_t h = 0; h < queries + b->heads; h++) {
            float *to = h < queries ? b->queries + (t * queries + h) * size
                                    : store + b->slots[t] * step + (h - queries) * size;
            turned(heads, at + h * size, half, size, normed, eps, scale + h * size, cosines + t * size,
                   sines + t * size, to);
        }
        at += (queries + b->heads) * size;
        for (int64_t i = 0; i < kept; i += WIDTH)
            save(store + b->slots[t] * step + kept + i, take(heads, at + i, half));
    }
    for (const Span *span = b->spans; span < b->spans + b->span_count; span++)
        for (int64_t t = span->start; t < span->stop; t++) {
            int64_t place = b->slots[t] % b->length, seen = span->length + place + 1;
            int64_t first = window && seen > window ? seen - window : 0;
            int64_t skipped = first < span->length ? first : span->length;
            int64_t own_skipped = first - skipped;
            const float *own = store + (b->slots[t] - place + own_skipped) * step;
            for (int64_t h = 0; h < b->heads; h++) {
                const float *context = span->store + ((layer * 2 * b->heads + h) * span->room + skipped) * size;
                const float *context_values = context + b->heads * span->room * size;
                for (int64_t g = 0; g < b->groups;) {
                    const float *q = b->queries + (t * queries + h * b->groups + g) * size;
                    int64_t to = (t * queries + h * b->groups + g) * size;
#define SOME(many)                                                                                                   \
    attend_some(q, size, context, context_values, span->length - skipped, own + h * size, own + kept + h * size, step, \
                place + 1 - own_skipped, softcap, b->scores, b->stride, out, to, many, half)
                    if (b->groups - g >= 4) {
                        SOME(4);
                        g += 4;
                    } else if (b->groups - g >= 2) {
                        SOME(2);
                        g += 2;
                    } else {
                        SOME(1);
                        g += 1;
                    }
#undef SOME
                }
            }
        }
}

/* Norm, scale and turn queries and keys, keep keys and values, and attend.
 *
 * heads: (n, H * G + 2 * H, D), queries, keys, values. scale: (H * G + H, D). cosines, sines: (n, D).
 * window: keys that a token sees, itself included; 0 for all. softcap: 0 for none.
 * out: (n, H * G, D).
 */
void chainwright_attend(const Batch *batch, int64_t layer, const void *heads, const float *scale, int normed,
                        float eps, const float *cosines, const float *sines, int64_t window, float softcap, void *out,
                        int half) {
    if (half)
        attend(batch, layer, heads, scale, normed, eps, cosines, sines, window, softcap, out, 1);
    else
        attend(batch, layer, heads, scale, normed, eps, cosines, sines, window, softcap, out, 0);
}
