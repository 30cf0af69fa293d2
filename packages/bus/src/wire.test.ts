import { describe, expect, test } from 'vitest';
import { FrameReader, FrameWriter, frameType } from './wire.ts';

interface Frame {
  readonly type: number;
  readonly text: string;
}

describe('FrameWriter', () => {
  // Seen to fail where the chunk was looked up before there was room in it: what was answered then went into the one before.
  test('writes each frame whole, wherever chunks end', () => {
    const heard: Frame[] = [];
    const reader = new FrameReader(1_000_000, (type, bytes, start, end) => {
      heard.push({ type, text: bytes.toString('utf8', start, end) });
    });
    const writer = new FrameWriter(
      (chunk) => reader.push(chunk),
      () => undefined,
    );
    const expected: Frame[] = [];
    for (let index = 0; index < 20_000; index++) {
      const text = String(index).padStart(1 + (index % 61), '.');
      const bytes = Buffer.from(text);
      if (index % 2 === 0) writer.answer(frameType.pong, bytes, 0, bytes.length);
      else writer.json(frameType.lost, text);
      expected.push(
        index % 2 === 0 ? { type: frameType.pong, text } : { type: frameType.lost, text: JSON.stringify(text) },
      );
    }
    writer.flush();
    expect(heard).toEqual(expected);
  });

  // Seen to fail where the new chunk was taken after the old one was sent: what was written meanwhile was forgotten.
  test('keeps what is written while a full chunk is sent', () => {
    const heard: string[] = [];
    let sends = 0;
    const reader = new FrameReader(1_000_000, (_type, bytes, start, end) => {
      heard.push(bytes.toString('utf8', start, end));
    });
    const writer: FrameWriter = new FrameWriter(
      (chunk) => {
        reader.push(chunk);
        sends++;
        if (sends <= 3) writer.json(frameType.lost, `sent ${sends}`);
      },
      () => undefined,
    );
    for (let index = 0; index < 2_000; index++) writer.json(frameType.lost, `frame ${index}`);
    writer.flush();
    writer.flush();
    for (let index = 0; index < 2_000; index++) expect(heard).toContain(`"frame ${index}"`);
    for (let each = 1; each <= 3; each++) expect(heard).toContain(`"sent ${each}"`);
  });
});
