import { FakeClock, SeededRandom } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { describe, expect, test } from 'vitest';
import { IdleList, type IdleNode } from './idle-list.ts';

class Node implements IdleNode<Node> {
  isListed = false;
  lastActiveMs = 0;
  older: Node | undefined;
  newer: Node | undefined;
  readonly name: number;

  constructor(name: number) {
    this.name = name;
  }
}

function listOf(count: number, idleTimeoutMs = 60_000) {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  const idle: number[] = [];
  const list = new IdleList<Node>({ idleTimeoutMs, onIdle: ({ name }) => idle.push(name), clock, wheel });
  const nodes = Array.from({ length: count }, (_, name) => new Node(name));
  for (const node of nodes) list.add(node);
  return { clock, wheel, idle, list, nodes };
}

describe('IdleList', () => {
  test('IdleList expires what was idle for so long, not earlier, at most a tick of the wheel later', () => {
    const { clock, idle, list } = listOf(1, 1_000);
    clock.advance(999, 1);
    expect(idle).toEqual([]);
    clock.advance(21, 1);
    expect(idle).toEqual([0]);
    expect(list.size).toBe(0);
  });

  test('IdleList starts anew with every touch', () => {
    const { clock, idle, list, nodes } = listOf(2, 1_000);
    for (let second = 0; second < 5; second += 1) {
      clock.advance(900, 20);
      list.touch(nodes[0] as Node);
    }
    expect(idle).toEqual([1]);
    clock.advance(1_020, 20);
    expect(idle).toEqual([1, 0]);
  });

  test('IdleList knows the one that was idle the longest', () => {
    const { list, nodes } = listOf(3);
    const [a, b, c] = nodes as [Node, Node, Node];
    expect(list.oldest).toBe(a);
    list.touch(a);
    expect(list.oldest).toBe(b);
    list.remove(b);
    expect(list.oldest).toBe(c);
    list.touch(c);
    list.remove(a);
    list.remove(c);
    expect([list.oldest, list.size]).toEqual([undefined, 0]);
  });

  test('IdleList takes it well when what has expired is removed or touched', () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel({ clock });
    clock.onAdvance(() => wheel.advance());
    const idle: number[] = [];
    const onIdle = (node: Node): void => {
      list.remove(node);
      list.touch(node);
      idle.push(node.name);
    };
    const list = new IdleList<Node>({ idleTimeoutMs: 1_000, onIdle, clock, wheel });
    for (let name = 0; name < 3; name += 1) {
      list.add(new Node(name));
      clock.advance(100);
    }
    clock.advance(2_000, 20);
    expect([idle, list.size, list.oldest]).toEqual([[0, 1, 2], 0, undefined]);
  });

  test('IdleList keeps no timer when it is empty', () => {
    const { list, nodes, wheel } = listOf(2);
    expect(wheel.size).toBe(1);
    for (const node of nodes) list.remove(node);
    expect(wheel.size).toBe(0);
    list.add(new Node(9));
    expect(wheel.size).toBe(1);
    list.close();
    expect(wheel.size).toBe(0);
  });

  test('IdleList looks at what expires and at little else, however many there are', () => {
    const { clock, idle, list, nodes } = listOf(65_536);
    clock.advance(30_000, 1_000);
    for (const node of nodes.slice(0, 65_000)) list.touch(node);
    clock.advance(30_100, 20); // 536 are due, in three pieces
    expect(idle).toEqual(nodes.slice(65_000).map(({ name }) => name));
    expect(list.looked).toBeLessThan(536 + 10);
  });

  test('IdleList does not look at those that are active, turn after turn', () => {
    const { clock, idle, list, nodes } = listOf(1_000);
    for (let turn = 0; turn < 600; turn += 1) {
      for (const node of nodes) list.touch(node);
      clock.advance(1_000, 1_000);
    }
    expect(idle).toEqual([]);
    // Ten idle times have passed; in each the timer has run about once.
    expect(list.looked).toBeLessThan(30);
  });

  test('IdleList expires a crowd in pieces', () => {
    const { clock, idle } = listOf(1_000, 1_000);
    const sizes: number[] = [];
    clock.advance(990);
    for (let tick = 0; tick < 8; tick += 1) {
      clock.advance(20);
      sizes.push(idle.length);
    }
    expect(sizes.at(-1)).toBe(1_000);
    expect(Math.max(...sizes.map((size, index) => size - (sizes[index - 1] ?? 0)))).toBe(256);
  });

  test('IdleList agrees with a list that is sorted by hand, whatever happens', () => {
    const random = new SeededRandom(5);
    const { clock, idle, list, nodes } = listOf(50, 1_000);
    const activeAt = new Map(nodes.map((node) => [node, clock.now()]));
    for (let step = 0; step < 20_000; step += 1) {
      const node = nodes[random.int(0, nodes.length - 1)] as Node;
      if (!activeAt.has(node)) list.add(node);
      else if (random.int(0, 9) === 0) {
        list.remove(node);
        activeAt.delete(node);
        continue;
      } else list.touch(node);
      activeAt.delete(node);
      activeAt.set(node, clock.now());
      clock.advance(random.int(0, 100));
      for (const name of idle.splice(0)) {
        const [gone] = activeAt.keys();
        expect(gone?.name).toBe(name);
        expect(clock.now() - (activeAt.get(gone as Node) ?? 0)).toBeGreaterThanOrEqual(1_000);
        activeAt.delete(gone as Node);
      }
      const [oldest] = activeAt.keys();
      expect(list.oldest?.name).toBe(oldest?.name);
      expect(list.size).toBe(activeAt.size);
    }
  });
});
