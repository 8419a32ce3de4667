package tiercachetest

import (
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// TreeOption changes the output of [Tree]. Only this package makes options.
type TreeOption interface{ apply(printer) printer }

type treeOptionFunc func(printer) printer

func (f treeOptionFunc) apply(p printer) printer { return f(p) }

// Only limits the attributes of spans and events that Tree prints to those with these keys. Without
// a key it prints none.
func Only(keys ...attribute.Key) TreeOption {
	return treeOptionFunc(func(p printer) printer {
		p.wanted = func(key attribute.Key) bool { return slices.Contains(keys, key) }
		return p
	})
}

// ShortNames makes [Tree] leave out the prefix "tiercache." of attributes, so that
// lines are short.
func ShortNames() TreeOption {
	return treeOptionFunc(func(p printer) printer {
		p.prefix = "tiercache."
		return p
	})
}

// WithoutDescriptions makes [Tree] leave out the descriptions of statuses, for
// instance because they contain ports.
func WithoutDescriptions() TreeOption {
	return treeOptionFunc(func(p printer) printer {
		p.noDescriptions = true
		return p
	})
}

// Tree prints spans as indented trees, arranged as by [Nodes], without ids and
// times. A span is a line: its name, its kind, the code of its status unless it
// is unset, and its attributes, sorted by name. A root whose parent is not among
// spans says so. Lines below it, in this order: the description of the status,
// quoted; its events, after "! "; the spans that it is linked to; its children.
//
//	GET /users/{id} (server)
//	  get users (internal) Error error.type=timeout tiercache.cache.name=users
//	    "tiercache: get: l2 get failed: timeout"
//
// A stack trace is printed as "(a stack)", so that a tree does not depend on lines
// of source files.
func Tree(spans []sdktrace.ReadOnlySpan, opts ...TreeOption) string {
	var p printer
	for _, o := range opts {
		if o != nil {
			p = o.apply(p)
		}
	}
	p.names = make(map[spanID]string, len(spans))
	for _, s := range spans {
		p.names[idOf(s.SpanContext())] = s.Name()
	}
	var out strings.Builder
	for _, root := range Nodes(spans) {
		if root.Span.Parent().IsValid() {
			out.WriteString("(its parent is missing) ")
		}
		p.print(&out, root, "")
	}
	return out.String()
}

// printer is how a tree is printed.
type printer struct {
	wanted         func(attribute.Key) bool // nil: all
	prefix         string
	noDescriptions bool
	stacks         bool // print stack traces as they are
	names          map[spanID]string
}

func (p printer) print(out *strings.Builder, n *Node, indent string) {
	s := n.Span
	line := fmt.Sprintf("%s (%s)", s.Name(), s.SpanKind())
	if s.Status().Code != codes.Unset {
		line += " " + s.Status().Code.String()
	}
	fmt.Fprintln(out, indent+join(line, p.attributes(s.Attributes())))
	indent += "  "
	if description := s.Status().Description; description != "" && !p.noDescriptions {
		fmt.Fprintf(out, "%s%q\n", indent, description)
	}
	for _, e := range s.Events() {
		fmt.Fprintln(out, indent+join("! "+e.Name, p.attributes(e.Attributes)))
	}
	for _, l := range s.Links() {
		fmt.Fprintln(out, indent+join("linked to "+p.linkedName(l), p.attributes(l.Attributes)))
	}
	for _, child := range n.Children {
		p.print(out, child, indent)
	}
}

func (p printer) linkedName(l sdktrace.Link) string {
	if name, ok := p.names[idOf(l.SpanContext)]; ok {
		return name
	}
	return "a span that is missing"
}

func (p printer) attributes(attrs []attribute.KeyValue) string {
	var kept []attribute.KeyValue
	for _, kv := range attrs {
		if p.wanted == nil || p.wanted(kv.Key) {
			if kv.Key == semconv.ExceptionStacktraceKey && !p.stacks {
				kv = kv.Key.String("(a stack)")
			}
			kv.Key = attribute.Key(strings.TrimPrefix(string(kv.Key), p.prefix))
			kept = append(kept, kv)
		}
	}
	return Attributes(kept)
}

// Attributes prints attributes as "key=value", sorted, with a space between them.
func Attributes(attrs []attribute.KeyValue) string {
	texts := make([]string, 0, len(attrs))
	for _, kv := range attrs {
		texts = append(texts, string(kv.Key)+"="+kv.Value.String())
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

func join(line, attrs string) string { return strings.TrimRight(line+" "+attrs, " ") }
