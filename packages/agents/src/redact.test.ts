import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formsOf, type OpenRedactor, redactionMark, redactorOf } from './redact.ts';

/** One after another, as a stream cut at these places. */
function redact(secrets: readonly string[] | OpenRedactor, text: string, cuts: readonly number[] = []): string {
  const bytes = Buffer.from(text);
  const redactor = typeof secrets === 'function' ? secrets() : redactorOf(secrets)();
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  const out = places.slice(1).map((place, index) => redactor.push(bytes.subarray(places[index], place)));
  return Buffer.concat([...out, redactor.end()]).toString();
}

const encodings: Readonly<Record<string, (secret: string) => string>> = {
  raw: (secret) => secret,
  json: (secret) => JSON.stringify(secret).slice(1, -1),
  jsonInJson: (secret) => JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
  url: (secret) => encodeURIComponent(secret),
  form: (secret) => new URLSearchParams({ a: secret }).toString().slice(2),
  base64: (secret) => Buffer.from(secret).toString('base64'),
  base64After1: (secret) => Buffer.from(`x${secret}yz`).toString('base64'),
  base64After2: (secret) => Buffer.from(`xy${secret}z`).toString('base64'),
  base64url: (secret) => Buffer.from(secret).toString('base64url'),
};

/** Thirty of the kinds that there are: tokens, passwords with odd characters, keys of several lines, other scripts. */
const canaries = Array.from({ length: 30 }, (_, index) => {
  const kinds = [
    `sk-ant-api03-${'aB3x'.repeat(5)}-${index}`,
    `p@ss w0rd/${index}?&"quoted"\\back`,
    `-----BEGIN KEY-----\nMIIE${'Zx9+/'.repeat(6)}${index}\n-----END KEY-----`,
    `ключ-${'ёж'.repeat(4)}-${index}-🔑`,
    `ghp_${'0123456789abcdef'.repeat(2)}${index}`,
  ];
  return kinds[index % kinds.length] ?? '';
});

/** What would let a reader have the secret back: any run of it that is long enough to be no accident. */
function leaks(output: string, secret: string, encode: (secret: string) => string): boolean {
  const decoded = [
    output,
    ...(output.match(/[A-Za-z0-9+/_-]{8,}={0,2}/g) ?? []).map((text) => Buffer.from(text, 'base64').toString()),
  ];
  return decoded.some((text) => text.includes(secret)) || output.includes(encode(secret));
}

/** Every canary in every encoding, with the stream cut at each of its places. */
function countLeaks(open: OpenRedactor) {
  const leaked: Record<string, number> = {};
  const damaged: string[] = [];
  let cuts = 0;
  for (const [name, encode] of Object.entries(encodings)) {
    leaked[name] = 0;
    for (const secret of canaries) {
      const text = `{"text":"before ${encode(secret)} after"}\n`;
      const { length } = Buffer.from(text);
      for (let cut = 0; cut < length; cut += 1) {
        cuts += 1;
        const output = redact(open, text, [cut]);
        if (leaks(output, secret, encode)) leaked[name] += 1;
        if (!(output.startsWith('{"text":"before ') && output.endsWith(' after"}\n'))) damaged.push(output);
      }
    }
  }
  return { leaked, damaged, cuts };
}

/** What one writes first: each piece by itself, the secrets as they are. */
const naive: OpenRedactor = () => ({
  push: (chunk) =>
    Buffer.from(
      canaries.reduce((text, secret) => text.replaceAll(secret, redactionMark), Buffer.from(chunk).toString()),
    ),
  end: () => new Uint8Array(0),
});

describe('a redactor', () => {
  test('leaks none of 30 canaries in any encoding, wherever the stream is cut', () => {
    const { leaked, damaged, cuts } = countLeaks(redactorOf(canaries));
    expect(cuts).toBeGreaterThan(15_000);
    expect(damaged).toEqual([]);
    expect(leaked).toEqual(Object.fromEntries(Object.keys(encodings).map((name) => [name, 0])));
  });

  test('does what a replacement of each piece does not, which leaks in every encoding', () => {
    const { leaked } = countLeaks(naive);
    for (const [name, count] of Object.entries(leaked)) expect(count, name).toBeGreaterThan(300);
    // Not even uncut does it find more than the secrets that an encoding leaves as they are.
    expect(leaked.base64).toBeGreaterThan(leaked.raw ?? 0);
  });

  test('leaves alone what holds no secret, byte for byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(), { maxLength: 8 }), (bytes, cuts) => {
        const redactor = redactorOf(['a secret that is nowhere'])();
        const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
          (a, b) => a - b,
        );
        const out = places
          .slice(1)
          .map((place, index) => Buffer.from(redactor.push(bytes.subarray(places[index], place))));
        expect(Buffer.concat([...out, redactor.end()]).equals(Buffer.from(bytes))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('gives the same wherever the stream is cut', () => {
    const alphabet = fc.constantFrom('a', 'b', 'c', 'abcabc', 'cababc', ' ');
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 10 }), (parts, cuts) => {
        const secrets = ['abcabc', 'cababc', 'bcabcab'];
        const text = parts.join('');
        const output = redact(secrets, text, cuts);
        expect(output).toBe(redact(secrets, text));
        for (const secret of secrets) expect(output).not.toContain(secret);
      }),
      { numRuns: 500 },
    );
  });

  test('makes one mark of secrets that overlap or touch', () => {
    expect(redact(['abcdef', 'defghi'], 'x abcdefghi y')).toBe(`x ${redactionMark} y`);
    expect(redact(['secret'], 'secretsecret')).toBe(redactionMark);
  });

  test('gives at once what can not be the beginning of a secret', () => {
    const redactor = redactorOf(['password1'])();
    expect(Buffer.from(redactor.push(Buffer.from('{"a":1}\n'))).toString()).toBe('{"a":1}\n');
    expect(Buffer.from(redactor.push(Buffer.from('the pass'))).toString()).toBe('the ');
    expect(Buffer.from(redactor.push(Buffer.from('age\n'))).toString()).toBe('passage\n');
  });

  test('refuses secrets that would be found everywhere', () => {
    expect(() => redactorOf(['abc'])).toThrow(RangeError);
    expect(formsOf('abcdef').every((form) => form.length >= 6)).toBe(true);
  });
});
