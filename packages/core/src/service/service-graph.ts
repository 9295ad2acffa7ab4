/**
 * Which service waits for which. Only the order lives here; starting is server/service-runner.ts.
 *
 * Invariant: the graph has no cycle, because an edge that would close one is refused.
 */
import type { Service } from './service.ts';

/** Returned by `server.addService()`: names a service for the dependencies of others. */
export interface ServiceHandle {
  readonly name: string;
  readonly service: Service;
  /**
   * This service starts when those are ready.
   *
   * @throws Error naming the cycle that a dependency would close, or when the server runs already; TypeError for a
   * handle of another server. (Pingora logs and ignores a cycle.)
   */
  addDependency(...dependencies: readonly ServiceHandle[]): this;
}

/** The services of one server with their dependencies. */
export class ServiceGraph {
  readonly #nodes: GraphNode[] = [];
  #frozen = false;

  /** Adds a service; refused once {@link freeze} was called. */
  add(service: Service): ServiceHandle {
    this.checkOpen();
    if (this.#nodes.some((node) => node.service === service)) {
      throw new TypeError(`service ${JSON.stringify(service.name)} was added already; each service is added once`);
    }
    const node = new GraphNode(service, this);
    this.#nodes.push(node);
    return node;
  }

  /** From now on services and dependencies are fixed. */
  freeze(): void {
    this.#frozen = true;
  }

  checkOpen(): void {
    if (this.#frozen) throw new Error('the server has started; add services and dependencies before it runs');
  }

  owns(handle: ServiceHandle): handle is GraphNode {
    return this.#nodes.includes(handle as GraphNode);
  }

  /** Services in the order they were added, each with the services it waits for. */
  entries(): readonly { readonly service: Service; readonly dependencies: readonly Service[] }[] {
    return this.#nodes.map(({ service, dependencies }) => ({
      service,
      dependencies: [...dependencies].map((dependency) => dependency.service),
    }));
  }
}

class GraphNode implements ServiceHandle {
  readonly service: Service;
  readonly dependencies: Set<GraphNode> = new Set();
  readonly #graph: ServiceGraph;

  constructor(service: Service, graph: ServiceGraph) {
    this.service = service;
    this.#graph = graph;
  }

  get name(): string {
    return this.service.name;
  }

  addDependency(...dependencies: readonly ServiceHandle[]): this {
    this.#graph.checkOpen();
    for (const dependency of dependencies) {
      if (!this.#graph.owns(dependency))
        throw new TypeError(`${this.name} cannot depend on a service of another server`);
      const path = dependency.pathTo(this);
      if (path !== undefined) {
        const names = [this, ...path].map((node) => node.name).join(' -> ');
        throw new Error(`service dependencies must not form a cycle: ${names}`);
      }
      this.dependencies.add(dependency);
    }
    return this;
  }

  /** The way from here along dependencies to `target`, both ends included; undefined when there is none. */
  pathTo(target: GraphNode, seen: Set<GraphNode> = new Set()): GraphNode[] | undefined {
    if (this === target) return [this];
    seen.add(this);
    for (const dependency of this.dependencies) {
      if (seen.has(dependency)) continue;
      const rest = dependency.pathTo(target, seen);
      if (rest !== undefined) return [this, ...rest];
    }
    return undefined;
  }
}
