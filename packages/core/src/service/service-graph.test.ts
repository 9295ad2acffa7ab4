import { describe, expect, test } from 'vitest';
import type { Service } from './service.ts';
import { ServiceGraph } from './service-graph.ts';

const service = (name: string): Service => ({ name, start: async () => {} });

describe('ServiceGraph', () => {
  test('ServiceGraph keeps the order and the dependencies', () => {
    const graph = new ServiceGraph();
    const [a, b] = [service('a'), service('b')];
    const handle = graph.add(a);
    graph.add(b).addDependency(handle).addDependency(handle);
    expect(graph.entries()).toEqual([
      { service: a, dependencies: [] },
      { service: b, dependencies: [a] },
    ]);
  });

  test('ServiceGraph refuses a service that depends on itself', () => {
    const handle = new ServiceGraph().add(service('a'));
    expect(() => handle.addDependency(handle)).toThrow('service dependencies must not form a cycle: a -> a');
  });

  test('ServiceGraph names the cycle that a dependency would close, and stays usable', () => {
    const graph = new ServiceGraph();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => graph.add(service(name))) as [never, never, never];
    const handles = { a, b, c } as Record<string, ReturnType<ServiceGraph['add']>>;
    handles.a?.addDependency(b);
    handles.b?.addDependency(c);
    expect(() => handles.c?.addDependency(a)).toThrow('service dependencies must not form a cycle: c -> a -> b -> c');
    expect(graph.entries().at(2)?.dependencies).toEqual([]);
  });

  test('ServiceGraph refuses the handle of another server', () => {
    const foreign = new ServiceGraph().add(service('x'));
    expect(() => new ServiceGraph().add(service('a')).addDependency(foreign)).toThrow(TypeError);
  });

  test('ServiceGraph refuses the same service twice', () => {
    const graph = new ServiceGraph();
    const a = service('a');
    graph.add(a);
    expect(() => graph.add(a)).toThrow('service "a" was added already');
  });

  test('ServiceGraph is fixed once the server runs', () => {
    const graph = new ServiceGraph();
    const [a, b] = [graph.add(service('a')), graph.add(service('b'))];
    graph.freeze();
    expect(() => graph.add(service('c'))).toThrow('before it runs');
    expect(() => a.addDependency(b)).toThrow('before it runs');
  });
});
