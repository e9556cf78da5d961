#include "filter.h"

#include <string.h>

/* The numbers of an instruction's code: class, size, mode, operation, operand (bpf(4)). */
enum {
    LD = 0x00,
    LDX = 0x01,
    ST = 0x02,
    STX = 0x03,
    ALU = 0x04,
    JMP = 0x05,
    RET = 0x06,
    MISC = 0x07,
    CLASS = 0x07,
    W = 0x00,
    H = 0x08,
    B = 0x10,
    SIZE = 0x18,
    IMM = 0x00,
    ABS = 0x20,
    IND = 0x40,
    MEM = 0x60,
    LEN = 0x80,
    MSH = 0xa0,
    ADD = 0x00,
    SUB = 0x10,
    MUL = 0x20,
    DIV = 0x30,
    OR = 0x40,
    AND = 0x50,
    LSH = 0x60,
    RSH = 0x70,
    NEG = 0x80,
    MOD = 0x90,
    XOR = 0xa0,
    OPERATION = 0xf0,
    JA = 0x00,
    JEQ = 0x10,
    JGT = 0x20,
    JGE = 0x30,
    JSET = 0x40,
    K = 0x00,
    X = 0x08,
    A = 0x10,
    TAX = 0x00,
    TXA = 0x80,
    WORDS = 16, /* of memory */
};

/* --- Judging ------------------------------------------------------------------------------- */

static const uint16_t codes[] = {
    LD | W | ABS,
    LD | H | ABS,
    LD | B | ABS,
    LD | W | IND,
    LD | H | IND,
    LD | B | IND,
    LD | IMM,
    LD | MEM,
    LD | W | LEN,
    LDX | IMM,
    LDX | MEM,
    LDX | W | LEN,
    LDX | B | MSH,
    ST,
    STX,
    ALU | ADD | K,
    ALU | ADD | X,
    ALU | SUB | K,
    ALU | SUB | X,
    ALU | MUL | K,
    ALU | MUL | X,
    ALU | DIV | K,
    ALU | DIV | X,
    ALU | MOD | K,
    ALU | MOD | X,
    ALU | OR | K,
    ALU | OR | X,
    ALU | AND | K,
    ALU | AND | X,
    ALU | XOR | K,
    ALU | XOR | X,
    ALU | LSH | K,
    ALU | LSH | X,
    ALU | RSH | K,
    ALU | RSH | X,
    ALU | NEG,
    JMP | JA,
    JMP | JEQ | K,
    JMP | JEQ | X,
    JMP | JGT | K,
    JMP | JGT | X,
    JMP | JGE | K,
    JMP | JGE | X,
    JMP | JSET | K,
    JMP | JSET | X,
    RET | K,
    RET | A,
    MISC | TAX,
    MISC | TXA,
};

static bool is_known(uint16_t code)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code)
            return true;
    return false;
}

static bool uses_memory(uint16_t code)
{
    return code == (LD | MEM) || code == (LDX | MEM) || code == ST || code == STX;
}

static bool has_wrong_constant(const struct instruction *one)
{
    switch (one->code) {
    case ALU | DIV | K:
    case ALU | MOD | K:
        return one->k == 0;
    case ALU | LSH | K:
    case ALU | RSH | K:
        return one->k >= 32;
    default:
        return false;
    }
}

/* `left`: how many instructions there are behind it. */
static const char *judge_one(const struct instruction *one, uint32_t left)
{
    if (!is_known(one->code))
        return "there is no such instruction";
    if (uses_memory(one->code) && one->k >= WORDS)
        return "there are 16 words of memory";
    if (has_wrong_constant(one))
        return "it divides by 0, or shifts by 32 bits and more";
    if (one->code == (JMP | JA) && one->k >= left)
        return "it jumps out of the program";
    if ((one->code & CLASS) == JMP && one->code != (JMP | JA) &&
        (one->jt >= left || one->jf >= left))
        return "it jumps out of the program";
    if (left == 0 && (one->code & CLASS) != RET)
        return "the last instruction is no return";
    return NULL;
}

const char *filter_judge(const struct program *program, uint32_t *ret_at)
{
    for (uint32_t i = 0; i < program->count; i++) {
        const char *wrong = judge_one(&program->instructions[i], program->count - 1 - i);

        if (wrong) {
            *ret_at = i;
            return wrong;
        }
    }
    return NULL;
}

/* --- Running ------------------------------------------------------------------------------- */

struct machine {
    uint32_t a, x;
    uint32_t memory[WORDS];
    const uint8_t *frame;
    uint32_t captured, length;
};

/* False: not all of it is in the frame. */
static bool load(const struct machine *machine, uint64_t at, unsigned size, uint32_t *ret)
{
    uint32_t value = 0;

    if (at + size > machine->captured)
        return false;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | machine->frame[at + i];
    *ret = value;
    return true;
}

static unsigned size_of(uint16_t code)
{
    return (code & SIZE) == W ? 4 : (code & SIZE) == H ? 2 : 1;
}

static bool load_accumulator(struct machine *machine, const struct instruction *one)
{
    switch (one->code & ~(unsigned)(CLASS | SIZE)) {
    case ABS:
        return load(machine, one->k, size_of(one->code), &machine->a);
    case IND:
        return load(machine, (uint64_t)machine->x + one->k, size_of(one->code), &machine->a);
    case MEM:
        machine->a = machine->memory[one->k];
        return true;
    case LEN:
        machine->a = machine->length;
        return true;
    default:
        machine->a = one->k;
        return true;
    }
}

/* MSH: the length of an IPv4 header. */
static bool load_index(struct machine *machine, const struct instruction *one)
{
    switch (one->code & ~(unsigned)(CLASS | SIZE)) {
    case MSH:
        if (!load(machine, one->k, 1, &machine->x))
            return false;
        machine->x = (machine->x & 0xf) << 2;
        return true;
    case MEM:
        machine->x = machine->memory[one->k];
        return true;
    case LEN:
        machine->x = machine->length;
        return true;
    default:
        machine->x = one->k;
        return true;
    }
}

/* False: it divides by 0. */
static bool calculate(struct machine *machine, const struct instruction *one)
{
    uint32_t operand = one->code & X ? machine->x : one->k;
    unsigned operation = one->code & OPERATION;

    if (operand == 0 && (operation == DIV || operation == MOD))
        return false;
    switch (operation) {
    case ADD:
        machine->a += operand;
        break;
    case SUB:
        machine->a -= operand;
        break;
    case MUL:
        machine->a *= operand;
        break;
    case DIV:
        machine->a /= operand;
        break;
    case MOD:
        machine->a %= operand;
        break;
    case OR:
        machine->a |= operand;
        break;
    case AND:
        machine->a &= operand;
        break;
    case XOR:
        machine->a ^= operand;
        break;
    case LSH:
        machine->a = operand < 32 ? machine->a << operand : 0;
        break;
    case RSH:
        machine->a = operand < 32 ? machine->a >> operand : 0;
        break;
    default:
        machine->a = 0U - machine->a;
        break;
    }
    return true;
}

/* How many instructions are passed over. */
static uint32_t jump(const struct machine *machine, const struct instruction *one)
{
    uint32_t operand = one->code & X ? machine->x : one->k;
    bool is_true;

    switch (one->code & OPERATION) {
    case JEQ:
        is_true = machine->a == operand;
        break;
    case JGT:
        is_true = machine->a > operand;
        break;
    case JGE:
        is_true = machine->a >= operand;
        break;
    case JSET:
        is_true = (machine->a & operand) != 0;
        break;
    default:
        return one->k;
    }
    return is_true ? one->jt : one->jf;
}

static void move(struct machine *machine, const struct instruction *one)
{
    switch (one->code) {
    case ST:
        machine->memory[one->k] = machine->a;
        break;
    case STX:
        machine->memory[one->k] = machine->x;
        break;
    case MISC | TAX:
        machine->x = machine->a;
        break;
    default:
        machine->a = machine->x;
        break;
    }
}

uint32_t filter_run(const struct program *program, const uint8_t *frame, uint32_t captured,
                    uint32_t length)
{
    struct machine machine = {.frame = frame, .captured = captured, .length = length};
    const struct instruction *one = program->instructions;
    bool goes_on = true;

    if (program->count == 0)
        return UINT32_MAX;
    for (; goes_on; one++) {
        switch (one->code & CLASS) {
        case LD:
            goes_on = load_accumulator(&machine, one);
            break;
        case LDX:
            goes_on = load_index(&machine, one);
            break;
        case ALU:
            goes_on = calculate(&machine, one);
            break;
        case JMP:
            one += jump(&machine, one);
            break;
        case RET:
            return one->code == (RET | K) ? one->k : machine.a;
        default:
            move(&machine, one);
            break;
        }
    }
    return 0;
}
