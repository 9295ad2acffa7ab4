// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of a configuration file.
/** Files that must work: the least, and one with something of everything. */

export const LEAST = `
listeners:
  - address: 0.0.0.0:8080
    upstream: app                 # http is the default protocol; one catch-all route
upstreams:
  app: [127.0.0.1:9000, 127.0.0.1:9001]
`;

export const RICH = `
threads: auto
control: unix:run/control.sock
listeners:
  - address: ":5432"              # all addresses, both families
    protocol: tcp
    upstream: db
  - { address: "0.0.0.0:53", protocol: udp, upstream: dns, responses: 1 }
  - address: ":443"
    name: web
    tls: { cert: a.pem, key: a.key, hosts: { b.example: { cert: b.pem, key: b.key } } }
    proxy_protocol: 10.0.0.0/8
    request_id_header: true
    routes:
      - match: { host: b.example, path: /api, methods: [GET], headers: { X-Beta: "1", x-debug: false } }
        proxy: { upstream: app, rewrite: { strip_prefix: /api }, retries: 1, read_timeout: 30s, host: upstream }
        request_headers: { set: { X-Real-IP: "\${client_ip}" }, remove: Cookie }
        compression: true
        max_body: 10m
      - match: { regex: "^/old/(.*)$" }
        redirect: { location: "/new/$1", status: 301 }
      - respond: { status: 404, body: "nothing here\\n" }
  - address: :8443
    protocol: tcp
    routes:
      - { sni: ["*.a.example", a.example], clients: 10.0.0.0/8, upstream: passthrough }
      - { name: rest, alpn: h2, upstream: etcd }
upstreams:
  app:
    servers: [127.0.0.1:9000, { address: "127.0.0.1:9001", weight: 3, max_connections: 100 }, { address: "127.0.0.1:9002", backup: true }]
    balance: { method: consistent, key: "header:X-User" }
    health: { http: /healthz, interval: 2s, unhealthy_after: 3, status: "200-299", body: ok }
    passive_health: true
    sticky: { cookie: session_route, ttl: 1h }
    queue: { size: 100, timeout: 2s }
    slow_start: 30s
    panic_threshold: 50%
  db: { dns: db.internal, port: 5432, balance: source_ip, health: tcp, sticky: { source: { ttl: 5m } } }
  dns: 10.0.0.2:53
  passthrough: { srv: _tls._tcp.a.example }
  etcd: { http: "https://discovery.example/etcd", interval: 30s, tls: { ca: ca.pem }, health: { grpc: my.Service } }
  spare: { file: backends.json, health: /up, tls: true }
`;
