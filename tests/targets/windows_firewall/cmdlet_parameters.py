"""Which parameters the cmdlets take that `firewall.ps1` calls, from Microsoft's reference.

NetSecurity: MicrosoftDocs/windows-powershell-docs, docset/winserver2025-ps/NetSecurity/*.md and *.yml (the syntax
blocks); the others: the same repository, Defender, ScheduledTasks, and MicrosoftDocs/PowerShell-Docs. Only parameters
that a script could sensibly use are listed: a name that is not here is a mistake until someone looks it up.
"""

COMMON = {"ErrorAction", "Verbose", "WarningAction"}
CHANGING = {"WhatIf", "Confirm"}

PARAMETERS = {
    "New-NetFirewallRule": CHANGING
    | {
        "PolicyStore", "GPOSession", "Name", "DisplayName", "Description", "Group", "Enabled", "Profile", "Platform",
        "Direction", "Action", "EdgeTraversalPolicy", "LooseSourceMapping", "LocalOnlyMapping", "Owner",
        "LocalAddress", "RemoteAddress", "Protocol", "LocalPort", "RemotePort", "IcmpType", "DynamicTarget", "Program",
        "Package", "Service", "InterfaceAlias", "InterfaceType", "LocalUser", "RemoteUser", "RemoteMachine",
        "Authentication", "Encryption", "OverrideBlockRules", "RemoteDynamicKeywordAddresses",
    },
    "Get-NetFirewallRule": {
        "All", "Name", "DisplayName", "Description", "DisplayGroup", "Group", "Enabled", "Direction", "Action",
        "PolicyStore", "TracePolicyStore",
    },
    "Remove-NetFirewallRule": CHANGING
    | {"All", "Name", "DisplayName", "Group", "Enabled", "Direction", "Action", "PolicyStore", "InputObject"},
    "New-NetFirewallDynamicKeywordAddress": CHANGING | {"Id", "Keyword", "Addresses", "AutoResolve"},
    "Get-NetFirewallDynamicKeywordAddress": {"All", "Id", "PolicyStore", "AllAutoResolve", "AllNonAutoResolve"},
    "Remove-NetFirewallDynamicKeywordAddress": CHANGING | {"All", "Id", "PolicyStore", "InputObject"},
    "Get-NetFirewallProfile": {"All", "Name", "PolicyStore"},
    "Set-NetFirewallProfile": CHANGING
    | {
        "All", "Name", "PolicyStore", "GPOSession", "Enabled", "DefaultInboundAction", "DefaultOutboundAction",
        "AllowLocalFirewallRules", "LogFileName", "LogMaxSizeKilobytes", "LogAllowed", "LogBlocked",
    },
    "Open-NetGPO": {"PolicyStore", "DomainController"},
    "Save-NetGPO": {"GPOSession"},
    "Get-MpComputerStatus": set(),
    "Get-MpPreference": set(),
    "Get-CimInstance": {"ClassName"},
    "Get-ScheduledTask": {"TaskName", "TaskPath"},
    "Register-ScheduledTask": {"TaskName", "Action", "Trigger", "Principal", "Settings", "Force"},
    "Unregister-ScheduledTask": CHANGING | {"TaskName"},
    "New-ScheduledTaskAction": {"Execute", "Argument"},
    "New-ScheduledTaskTrigger": {"Once", "At"},
    "New-ScheduledTaskPrincipal": {"UserId", "LogonType", "RunLevel"},
    "New-ScheduledTaskSettingsSet": {"StartWhenAvailable", "AllowStartIfOnBatteries", "DontStopIfGoingOnBatteries"},
    "New-Object": {"TypeName", "ArgumentList"},
    "Join-Path": {"Path", "ChildPath"},
    "Write-Warning": {"Message"},
    "Write-Verbose": {"Message"},
    "Write-Output": set(),
    "Out-Null": set(),
    "Get-Date": set(),
    "Sort-Object": {"Unique"},
    "Where-Object": set(),
    "ForEach-Object": set(),
    "Set-StrictMode": {"Version"},
}  # fmt: skip


def unknown(cmdlet, names):
    """The parameters among `names` that the cmdlet does not take (letter case does not count)."""
    known = {name.casefold() for name in PARAMETERS[cmdlet] | COMMON}
    return sorted(name for name in names if name.casefold() not in known)
