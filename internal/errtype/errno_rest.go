//go:build !unix && !windows && !plan9

package errtype

var systemErrnos []errnoEntry
