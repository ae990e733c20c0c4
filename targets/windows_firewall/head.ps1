#Requires -Version 5.1
#Requires -RunAsAdministrator
<#
.SYNOPSIS
    Gives Windows Firewall the outbound rules of one group of hosts.

.DESCRIPTION
    Written by egressc: do not edit. The data is at the top, the code below it is the same in every such script.

    Without a switch the script makes the rules of its group what the data says: it creates the rules that are missing
    and then removes those that are no longer wanted, so that no connection is ever without its rule. What is already
    there is not touched, and other groups never are. Run it again at any time. When it stops with an error, no rule
    that was there before is gone.

    Names are matched by dynamic keywords, which Microsoft Defender resolves: the script stops before any change when
    Defender or its Network Protection is not running. An address is known only after an application has asked for the
    name, so a first connection may fail and succeed when it is tried again.

    If the rules are for a group policy object, run the script once where the Group Policy tools are installed, and
    make "firewall.ps1 -KeywordsOnly" a start-up script of the hosts: dynamic keywords have no form in group policy.

.PARAMETER EnforceDefaultDeny
    Blocks, at the very end, every outbound connection that no rule allows. Established connections live on. Unless
    RollbackMinutes is 0, a scheduled task undoes it after that time: when all works, run the script once more with
    "-EnforceDefaultDeny -RollbackMinutes 0" to keep it. In a group policy object nothing undoes it: try it on one host.

.PARAMETER RollbackMinutes
    How long after -EnforceDefaultDeny the scheduled task waits. 0: there is no such task, and a waiting one is removed.

.PARAMETER Remove
    Puts the default action back to what it was before -EnforceDefaultDeny, then removes the rules of the group and the
    dynamic keywords that no other rule uses.

.PARAMETER KeywordsOnly
    Creates the dynamic keywords, removes those of egressc that no rule uses any more, and does nothing else.

.EXAMPLE
    .\firewall.ps1 -WhatIf

.EXAMPLE
    .\firewall.ps1 -EnforceDefaultDeny
#>
[CmdletBinding(SupportsShouldProcess = $true, DefaultParameterSetName = 'Apply')]
param(
    [Parameter(ParameterSetName = 'Apply')]
    [switch] $EnforceDefaultDeny,

    [Parameter(ParameterSetName = 'Apply')]
    [ValidateRange(0, 1440)]
    [int] $RollbackMinutes = 10,

    [Parameter(ParameterSetName = 'Remove')]
    [switch] $Remove,

    [Parameter(ParameterSetName = 'KeywordsOnly')]
    [switch] $KeywordsOnly
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

# ---- data ----------------------------------------------------------------------------------------------------------

