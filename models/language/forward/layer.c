/* What a decoder layer does between its matrix products, token by token.
 *
 * Norms, rotary positions and attention of tens of tokens: as single tensor operations each of them
 * costs more for its start than for its arithmetic. Nothing here depends on the tokens beside one,
 * so a row's bits are the same in every batch. Reductions run over 16 lanes, whatever the
 * processor's vectors hold; models/language/forward/layer.py loads the build that suits it.
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
#define PARTS 3 /* context, kept and new tokens */

/* New tokens of a sentence, and what they continue. */
typedef struct {
    const float *context; /* (layers, 2, H, room, D) */
    int64_t context_length, room;
    const float *kept; /* (kept_length, layers, 2, H, D): its tokens before the new ones */
    int64_t kept_length, tokens;
} Sentence;

/* A batch of n tokens; H key-value heads, G query heads for each, D head size. */
typedef struct {
    int64_t tokens, heads, groups, size, layers;
    const Sentence *sentences;
    int64_t count;
    float *fresh;   /* (n, layers, 2, H, D): keys and values of the new tokens */
    float *queries; /* (n, H * G, D), scratch */
    float *scores;  /* (G, stride), scratch */
    int64_t stride; /* a multiple of 16, at least the keys that any token sees */
} Batch;

/* Some keys and values that a token sees, `step` floats from one to the next. */
typedef struct {
    const float *keys, *values;
    int64_t step, count;
} Part;

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
INLINE void attend_some(const float *q, int64_t size, const Part *parts, float softcap, float *scores, int64_t stride,
                        void *out, int64_t at, const int many, const int half) {
    int64_t seen = 0;
    for (int p = 0; p < PARTS; seen += parts[p++].count)
        all_products(q, parts[p].keys, parts[p].step, parts[p].count, size, scores + seen, stride, many);
    float shares[4];
    for (int g = 0; g < many; g++) shares[g] = 1.0f / softmax(scores + g * stride, seen, softcap);
    for (int64_t i = 0; i < size; i += 2 * WIDTH) {
        lanes sums[4][2] = {};
        int wide = i + 2 * WIDTH <= size ? 2 : 1;
        int64_t from = 0;
        for (int p = 0; p < PARTS; from += parts[p++].count) {
            if (wide == 2)
                mix(parts[p].values + i, parts[p].step, parts[p].count, scores + from, stride, sums, many, 2);
            else
                mix(parts[p].values + i, parts[p].step, parts[p].count, scores + from, stride, sums, many, 1);
        }
        for (int g = 0; g < many; g++)
            for (int w = 0; w < wide; w++) put(out, at + g * size + i + w * WIDTH, sums[g][w] * shares[g], half);
    }
}

/* The first of a run of keys that a token still sees, where `hidden` tokens before are none; these are counted down. */
INLINE Part seen_of(const float *keys, int64_t values, int64_t step, int64_t count, int64_t *hidden) {
    int64_t skipped = *hidden < count ? *hidden : count;
    *hidden -= skipped;
    keys += skipped * step;
    return (Part){keys, keys + values, step, count - skipped};
}

/* One token, that sees `length` of its sentence's new tokens, `first` on. */
INLINE void attend_one(const Batch *b, int64_t layer, const Sentence *s, int64_t t, int64_t first, int64_t window,
                       float softcap, void *out, const int half) {
    const int64_t size = b->size, queries = b->heads * b->groups, kept = b->heads * size;
    const int64_t step = b->layers * 2 * kept, length = t + 1 - first;
    const int64_t all = s->context_length + s->kept_length + length;
    for (int64_t h = 0; h < b->heads; h++) {
        int64_t hidden = window && all > window ? all - window : 0, at = layer * 2 * kept + h * size;
        Part parts[PARTS];
        parts[0] = seen_of(s->context + (layer * 2 * b->heads + h) * s->room * size, b->heads * s->room * size, size,
                           s->context_length, &hidden);
        parts[1] = seen_of(s->kept + at, kept, step, s->kept_length, &hidden);
        parts[2] = seen_of(b->fresh + first * step + at, kept, step, length, &hidden);
        for (int64_t g = 0; g < b->groups;) {
            int64_t to = (t * queries + h * b->groups + g) * size;
            const float *q = b->queries + to;
            if (b->groups - g >= 4) {
                attend_some(q, size, parts, softcap, b->scores, b->stride, out, to, 4, half);
                g += 4;
            } else if (b->groups - g >= 2) {
                attend_some(q, size, parts, softcap, b->scores, b->stride, out, to, 2, half);
                g += 2;
            } else {
                attend_some(q, size, parts, softcap, b->scores, b->stride, out, to, 1, half);
                g += 1;
            }
        }
    }
}

INLINE void attend(const Batch *b, int64_t layer, const void *heads, const float *scale, int normed, float eps,
                   const float *cosines, const float *sines, int64_t window, float softcap, void *out,
                   const int half) {
    const int64_t size = b->size, queries = b->heads * b->groups, kept = b->heads * size;
    for (int64_t t = 0; t < b->tokens; t++) {
        float *keys = b->fresh + (t * b->layers + layer) * 2 * kept;
        int64_t at = t * (queries + 2 * b->heads) * size;
        for (int64_t h = 0; h < queries + b->heads; h++)
            turned(heads, at + h * size, half, size, normed, eps, scale + h * size, cosines + t * size,
                   sines + t * size, h < queries ? b->queries + (t * queries + h) * size : keys + (h - queries) * size);
        at += (queries + b->heads) * size;
        for (int64_t i = 0; i < kept; i += WIDTH) save(keys + kept + i, take(heads, at + i, half));
    }
    int64_t first = 0;
    for (const Sentence *s = b->sentences; s < b->sentences + b->count; first += s++->tokens)
        for (int64_t t = first; t < first + s->tokens; t++)
            attend_one(b, layer, s, t, first, window, softcap, out, half);
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

/* The checksum of this file when it was compiled. */
uint32_t chainwright_source(void) { return SOURCE; }
