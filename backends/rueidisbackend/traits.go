package rueidisbackend

import (
	"net"
	"reflect"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache/backends"
)

// traits are the known properties of a client.
type traits struct {
	single     bool   // one server: a command may have keys of any kind
	cluster    bool   // keys are in slots
	addr       string // of the one server
	partitions int    // of a log, unless an option says otherwise
	lifetime   bool   // connections end after a time
	replicas   bool   // commands may go to replicas
}

// clusterPartitions is the default for a cluster, so that its nodes share the work.
const clusterPartitions = 16

// traitsOf returns false for a nil client.
func traitsOf(client rueidis.Client) (t traits, ok bool) {
	if client == nil {
		return traits{}, false
	}
	if v := reflect.ValueOf(client); v.Kind() == reflect.Pointer && v.IsNil() {
		return traits{}, false
	}
	switch client.Mode() {
	case rueidis.ClientModeCluster:
		t = traits{cluster: true, partitions: clusterPartitions}
	case rueidis.ClientModeSentinel:
		t = traits{partitions: 1}
	default:
		t = traits{single: true, partitions: 1}
		if nodes := client.Nodes(); len(nodes) == 1 {
			for addr := range nodes {
				t.addr = addr
			}
		}
	}
	t.inspect(reflect.ValueOf(client), 0)
	return t, true
}

// maxWrappers is how many clients around clients are looked through.
const maxWrappers = 8

var clientType = reflect.TypeFor[rueidis.Client]()

// inspect looks for options that make outcomes or reads wrong. Clients do not tell their
// options, so it reads the fields in which rueidis keeps them; a test of this package holds
// each release of rueidis to that. Fields that it does not find, in a client of a test for
// instance, are harmless.
func (t *traits) inspect(v reflect.Value, depth int) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || depth > maxWrappers {
		return
	}
	ours := v.Type().PkgPath() == clientType.PkgPath()
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		switch {
		case field.Type() == clientType:
			t.inspect(field, depth+1) // of a wrapper
		case !ours:
		case name == "hasLftm":
			t.lifetime = t.lifetime || field.Kind() == reflect.Bool && field.Bool()
		case name == "opt", name == "mOpt":
			t.inspectOptions(field)
		}
	}
}

func (t *traits) inspectOptions(v reflect.Value) {
	if v.Type() != reflect.TypeFor[*rueidis.ClientOption]() || v.IsNil() {
		return
	}
	o := v.Elem()
	t.lifetime = t.lifetime || o.FieldByName("ConnLifetime").Int() > 0
	t.replicas = t.replicas || !o.FieldByName("SendToReplicas").IsNil() || o.FieldByName("ReplicaOnly").Bool()
}

// describe splits the address as far as it can be.
func (t traits) describe(instrumented bool) backends.Description {
	d := backends.Description{
		System: "redis", ServerAddress: t.addr, Instrumented: instrumented,
		GetOperation: "GET", SetOperation: "SET", DeleteOperation: "DEL",
	}
	if host, port, err := net.SplitHostPort(t.addr); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			d.ServerAddress, d.ServerPort = host, int(n)
		}
	}
	return d
}
