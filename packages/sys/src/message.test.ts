import { expect, test } from 'vitest';
import { darwin } from './darwin.ts';
import { linux } from './linux.ts';
import { controlSize, createMessage, isControlCut, readDescriptors, writeDescriptors } from './message.ts';
import type { NativeCalls } from './native-calls.ts';

const BASE = 0x7f0000001000n;
const calls = { address: () => BASE } as unknown as NativeCalls;

/** 64-bit words from an offset. */
function words(memory: Buffer, from: number, count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => memory.readBigUInt64LE(from + index * 8));
}

test('createMessage points to its parts, as Linux wants it', () => {
  const control = controlSize(linux.message, 3);
  const { memory } = createMessage(calls, { payload: 5, control }, Buffer.from('name'));
  // msg_name, msg_namelen, msg_iov, msg_iovlen, msg_control, msg_controllen, msg_flags
  expect(words(memory, 0, 7)).toEqual([BASE + 80n, 4n, BASE + 64n, 1n, BASE + 88n, 32n, 0n]);
  expect(words(memory, 64, 2)).toEqual([BASE + 120n, 5n]); // iov_base, iov_len
  expect(memory.toString('latin1', 80, 84)).toBe('name');
  expect(memory.length).toBe(125);
});

test('createMessage has no pointers to parts that are not there', () => {
  const { memory, control } = createMessage(calls, { payload: 1 });
  expect(words(memory, 0, 7)).toEqual([0n, 0n, BASE + 64n, 1n, 0n, 0n, 0n]);
  expect(control).toHaveLength(0);
});

test.each([
  ['Linux', linux.message, [28, 0, 1, 1, 7, 8, 9, 0]], // 64 bits of length; level, type; data to a multiple of 8
  ['macOS', darwin.message, [24, 0xffff, 1, 7, 8, 9]], // 32 bits of length
])('writeDescriptors lays out struct cmsghdr of %s, readDescriptors reads it', (_, layout, expected) => {
  const message = createMessage(calls, { payload: 1, control: controlSize(layout, 3) });
  writeDescriptors(layout, message.control, [7, 8, 9]);
  expect(Array.from(expected, (__, index) => message.control.readInt32LE(index * 4))).toEqual(expected);
  expect(message.control).toHaveLength(expected.length * 4);
  expect(readDescriptors(layout, message)).toEqual([7, 8, 9]);
});

test('readDescriptors reads several control messages and skips other kinds', () => {
  const [SOL_SOCKET, SCM_RIGHTS, SCM_CREDENTIALS] = [1, 1, 2];
  const message = createMessage(calls, { payload: 1, control: 24 + 32 + 24 });
  const { control } = message;
  for (const [at, length, type] of [
    [0, 20, SCM_RIGHTS],
    [24, 28, SCM_CREDENTIALS],
    [56, 24, SCM_RIGHTS],
  ] as const) {
    control.writeUInt32LE(length, at);
    control.writeInt32LE(SOL_SOCKET, at + 8);
    control.writeInt32LE(type, at + 12);
    for (let data = at + 16; data < at + length; data += 4) control.writeInt32LE(data, data);
  }
  expect(readDescriptors(linux.message, message)).toEqual([16, 72, 76]);
});

test('readDescriptors reads nothing behind what was received', () => {
  const message = createMessage(calls, { payload: 1, control: controlSize(linux.message, 4) });
  writeDescriptors(linux.message, message.control, [1, 2, 3, 4]);
  message.memory.writeUInt32LE(24, 40); // msg_controllen, as the system sets it
  expect(readDescriptors(linux.message, message)).toEqual([1, 2]);
  message.memory.writeUInt32LE(0, 40);
  expect(readDescriptors(linux.message, message)).toEqual([]);
});

test.each([
  ['Linux', linux.message, 48, 0x8],
  ['macOS', darwin.message, 44, 0x20],
])('isControlCut reads msg_flags of %s', (_, layout, flagsAt, MSG_CTRUNC) => {
  const message = createMessage(calls, { payload: 1 });
  message.memory.writeInt32LE(~MSG_CTRUNC, flagsAt);
  expect(isControlCut(layout, message)).toBe(false);
  message.memory.writeInt32LE(MSG_CTRUNC, flagsAt);
  expect(isControlCut(layout, message)).toBe(true);
});
